#===- DscOptions.cmake - how our code is compiled and linked ----------------===#
#
# Directory-wide settings. Warnings and -fno-exceptions belong to our targets
# only (DscHelpers.cmake), so that third-party code is not affected.
#
#===--------------------------------------------------------------------------===#
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

# Plain -fuse-ld=lld under g++ would pick Debian's lld 14.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options(-fuse-ld=lld)
endif()
add_link_options(-Wl,--gc-sections)

if(NOT DSC_ASSERTIONS)
  add_compile_definitions(NDEBUG)
endif()

# Ninja writes to a pipe; keep clang's colours when a person looks.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND DEFINED ENV{TERM} AND NOT DEFINED ENV{NO_COLOR})
  set(CMAKE_COLOR_DIAGNOSTICS ON)
endif()

if(DSC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(CCACHE_EXECUTABLE ccache)
  mark_as_advanced(CCACHE_EXECUTABLE)
  if(CCACHE_EXECUTABLE)
    # What ccache must ignore to hit in files that use a precompiled header; with
    # it goes -Xclang -fno-pch-timestamp in dsc_set_compile_options.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        ${CCACHE_EXECUTABLE})
    set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
  endif()
endif()
