#===- DscOnnx.cmake - the ONNX C++ library ----------------------------------===#
#
# Built from the source distribution that scripts/fetch-onnx.sh puts into the
# cache; nothing is fetched here. Defines the static libraries onnx and
# onnx_proto, which carry their include directories and definitions.
#
#===--------------------------------------------------------------------------===#
include_guard(GLOBAL)
include(FetchContent)

# The version and hash are said once, for pip and here.
file(READ ${PROJECT_SOURCE_DIR}/tools/requirements-onnx.txt DSC_ONNX_PIN)
if(NOT DSC_ONNX_PIN MATCHES "onnx==([0-9.]+) --hash=sha256:([0-9a-f]+)")
  message(FATAL_ERROR "tools/requirements-onnx.txt does not pin onnx")
endif()
set(DSC_ONNX_VERSION ${CMAKE_MATCH_1})
set(DSC_ONNX_SHA256 ${CMAKE_MATCH_2})

if(DEFINED ENV{XDG_CACHE_HOME})
  set(DSC_CACHE_DEFAULT $ENV{XDG_CACHE_HOME}/deepseekcc)
else()
  set(DSC_CACHE_DEFAULT $ENV{HOME}/.cache/deepseekcc)
endif()
set(DSC_CACHE_DIR ${DSC_CACHE_DEFAULT} CACHE PATH "Where scripts/fetch-onnx.sh puts archives")
set(DSC_ONNX_ARCHIVE ${DSC_CACHE_DIR}/onnx-${DSC_ONNX_VERSION}.tar.gz)
if(NOT EXISTS ${DSC_ONNX_ARCHIVE})
  message(FATAL_ERROR "${DSC_ONNX_ARCHIVE} is missing; `make setup` fetches it")
endif()

# Debian's Python, whichever comes first in PATH.
if(EXISTS /usr/bin/python3)
  set(Python3_EXECUTABLE /usr/bin/python3 CACHE FILEPATH "Python that the build runs")
endif()
find_package(Protobuf REQUIRED)

set(ONNX_BUILD_PYTHON OFF CACHE INTERNAL "")
set(ONNX_ML ON CACHE INTERNAL "")
set(ONNX_INSTALL OFF CACHE INTERNAL "")
set(ONNX_USE_UNITY_BUILD ON CACHE INTERNAL "")
# Debian's static protobuf is not position independent.
set(ONNX_USE_PROTOBUF_SHARED_LIBS ON CACHE INTERNAL "")

# ONNX asks for CMake 3.26 but uses nothing newer than Debian's 3.25.
FetchContent_Declare(onnx
  URL ${DSC_ONNX_ARCHIVE}
  URL_HASH SHA256=${DSC_ONNX_SHA256}
  DOWNLOAD_EXTRACT_TIMESTAMP ON
  PATCH_COMMAND sed -i "s/cmake_minimum_required(VERSION 3.26)/cmake_minimum_required(VERSION 3.25)/"
                CMakeLists.txt)
FetchContent_GetProperties(onnx)
if(NOT onnx_POPULATED)
  FetchContent_Populate(onnx)
  # Its warnings are not ours to fix, and its progress messages say nothing.
  set(CMAKE_MESSAGE_LOG_LEVEL WARNING)
  add_subdirectory(${onnx_SOURCE_DIR} ${onnx_BINARY_DIR} EXCLUDE_FROM_ALL SYSTEM)
  unset(CMAKE_MESSAGE_LOG_LEVEL)
  target_compile_options(onnx PRIVATE -w)
  target_compile_options(onnx_proto PRIVATE -w)
endif()
