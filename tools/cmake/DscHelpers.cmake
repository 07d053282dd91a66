#===- DscHelpers.cmake - libraries, tools and their layers ------------------===#
#
# Every target of ours has a layer: it may link (and include) its own layer and
# lower ones. dsc_check_layers enforces that over links when configuring, and
# check_layers.py over #include lines, from the table written here.
#
#   0 container format   1 IR, Target   2 Import, Transforms   3 Codegen   4 tools
#
# The runtime is a leaf: only tools and tests may use it, and it sees layer 0.
#
#===--------------------------------------------------------------------------===#
include_guard(GLOBAL)

set(DSC_RUNTIME_LAYER 4)
define_property(TARGET PROPERTY DSC_LAYER BRIEF_DOCS "Layer of a target of this project")
define_property(TARGET PROPERTY DSC_SEES BRIEF_DOCS "Highest layer that the target may use")
define_property(GLOBAL PROPERTY DSC_TARGETS BRIEF_DOCS "All targets that have a layer")
define_property(GLOBAL PROPERTY DSC_LAYER_TABLE BRIEF_DOCS "Lines: target layer sees directory")

# dsc_add_subdirectory(<dir>): adds it if it has been filled already.
macro(dsc_add_subdirectory dir)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${dir}/CMakeLists.txt)
    add_subdirectory(${dir})
  endif()
endmacro()

# dsc_set_compile_options(<target> [EXCEPTIONS] [NO_RTTI])
function(dsc_set_compile_options target)
  cmake_parse_arguments(ARG "EXCEPTIONS;NO_RTTI" "" "" ${ARGN})
  target_compile_options(${target} PRIVATE -Wall -Wextra -ffunction-sections -fdata-sections)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
  if(DSC_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(NOT ARG_EXCEPTIONS)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
  endif()
  if(ARG_NO_RTTI)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
  endif()
endfunction()

# dsc_set_layer(<target> <layer> <sees> <dir>...): the directories, relative to
# the source root, whose files belong to the target.
function(dsc_set_layer target layer sees)
  set_target_properties(${target} PROPERTIES DSC_LAYER ${layer} DSC_SEES ${sees})
  set_property(GLOBAL APPEND PROPERTY DSC_TARGETS ${target})
  foreach(dir IN LISTS ARGN)
    set_property(GLOBAL APPEND PROPERTY DSC_LAYER_TABLE "${target} ${layer} ${sees} ${dir}")
  endforeach()
endfunction()

# dsc_add_pch(<target> [EXCEPTIONS]): a precompiled header that MLIR-using targets
# share. One for all costs one compilation (about 5 s) instead of one for each
# library; it must be compiled with the flags of its users, hence a second one for
# the few that catch exceptions.
function(dsc_add_pch target)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${target}.cpp CONTENT "")
  add_library(${target} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${target}.cpp)
  dsc_set_compile_options(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE dsc_mlir)
  target_precompile_headers(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tools/cmake/DscPch.h)
endfunction()

# dsc_add_library(<name> LAYER <n> [SEES <n>] [DIRS <dir>...] [SOURCES <file>...]
#                 [DEPENDS <target>...] [LINK <target>...] [LINK_PRIVATE <target>...]
#                 [NO_MLIR [NO_RTTI]] [EXCEPTIONS])
# Without SOURCES the library consists of every .cpp file below DIRS (default:
# the current directory).
function(dsc_add_library name)
  cmake_parse_arguments(ARG "NO_MLIR;EXCEPTIONS;NO_RTTI" "LAYER;SEES"
                        "SOURCES;DIRS;DEPENDS;LINK;LINK_PRIVATE" ${ARGN})
  dsc_collect_sources("${ARG_SOURCES}" "${ARG_DIRS}" sources dirs)
  if(NOT sources)
    message(STATUS "${name}: no sources yet")
    return()
  endif()
  add_library(${name} STATIC ${sources})
  _dsc_configure_target(${name})
endfunction()

# dsc_add_executable(<name> ...): a program in build/bin; arguments as above.
function(dsc_add_executable name)
  cmake_parse_arguments(ARG "NO_MLIR;EXCEPTIONS;NO_RTTI" "LAYER;SEES"
                        "SOURCES;DIRS;DEPENDS;LINK;LINK_PRIVATE" ${ARGN})
  dsc_collect_sources("${ARG_SOURCES}" "${ARG_DIRS}" sources dirs)
  if(NOT sources)
    message(STATUS "${name}: no sources yet")
    return()
  endif()
  add_executable(${name} ${sources})
  _dsc_configure_target(${name})
  # As the libraries, not -fPIE: clang refuses a precompiled header otherwise.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
endfunction()

# dsc_add_tool(<name> ...): an executable that is installed.
function(dsc_add_tool name)
  dsc_add_executable(${name} ${ARGN})
  if(TARGET ${name})
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT compiler)
  endif()
endfunction()

# Files are found by pattern, not listed: adding an operator or a pass then
# touches no CMake file. CONFIGURE_DEPENDS makes the build look again each time.
function(dsc_collect_sources given_sources given_dirs out_sources out_dirs)
  if(NOT given_dirs)
    set(given_dirs .)
  endif()
  set(found)
  set(relative_dirs)
  foreach(dir IN LISTS given_dirs)
    cmake_path(ABSOLUTE_PATH dir BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
    string(REGEX REPLACE "/$" "" dir ${dir})
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${dir}/*.cpp)
    list(APPEND found ${files})
    file(RELATIVE_PATH dir ${PROJECT_SOURCE_DIR} ${dir})
    list(APPEND relative_dirs ${dir})
  endforeach()
  if(given_sources)
    set(found ${given_sources})
  endif()
  set(${out_sources} ${found} PARENT_SCOPE)
  set(${out_dirs} ${relative_dirs} PARENT_SCOPE)
endfunction()

# The part that libraries and tools share; reads the caller's ARG_* and dirs.
macro(_dsc_configure_target target)
  if("${ARG_LAYER}" STREQUAL "")
    message(FATAL_ERROR "${target}: LAYER is missing")
  endif()
  if("${ARG_SEES}" STREQUAL "")
    set(ARG_SEES ${ARG_LAYER})
  endif()
  dsc_set_layer(${target} ${ARG_LAYER} ${ARG_SEES} ${dirs})
  set(flags)
  foreach(flag EXCEPTIONS NO_RTTI)
    if(ARG_${flag})
      list(APPEND flags ${flag})
    endif()
  endforeach()
  dsc_set_compile_options(${target} ${flags})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
  # Generated code is not held to our warnings.
  target_include_directories(${target} SYSTEM PUBLIC
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>)
  # A library without sources yet is left out instead of becoming -lDscX.
  list(TRANSFORM ARG_LINK REPLACE "^([Dd]sc[A-Za-z_]+)$" "$<TARGET_NAME_IF_EXISTS:\\1>")
  list(TRANSFORM ARG_LINK_PRIVATE REPLACE "^([Dd]sc[A-Za-z_]+)$" "$<TARGET_NAME_IF_EXISTS:\\1>")
  target_link_libraries(${target} PUBLIC ${ARG_LINK} PRIVATE ${ARG_LINK_PRIVATE})
  foreach(dependency IN LISTS ARG_DEPENDS)
    if(TARGET ${dependency})
      add_dependencies(${target} ${dependency})
    endif()
  endforeach()
  if(NOT ARG_NO_MLIR)
    target_link_libraries(${target} PUBLIC dsc_mlir)
    if(DSC_PCH AND ARG_EXCEPTIONS)
      target_precompile_headers(${target} REUSE_FROM DscPchExceptions)
    elseif(DSC_PCH)
      target_precompile_headers(${target} REUSE_FROM DscPch)
    endif()
  endif()
endmacro()

# Fails when a target links one of a layer that it must not see; writes the
# table that check_layers.py reads.
function(dsc_check_layers)
  get_property(targets GLOBAL PROPERTY DSC_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(sees ${target} DSC_SEES)
    get_target_property(links ${target} LINK_LIBRARIES)
    foreach(linked IN LISTS links)
      # $<LINK_ONLY:X> and the like name a target inside an expression.
      string(REGEX REPLACE "^\\$<.*:([A-Za-z0-9_:-]+)>+$" "\\1" linked "${linked}")
      if(NOT TARGET ${linked})
        continue()
      endif()
      get_target_property(aliased ${linked} ALIASED_TARGET)
      if(aliased)
        set(linked ${aliased})
      endif()
      get_target_property(layer ${linked} DSC_LAYER)
      if(NOT layer STREQUAL "layer-NOTFOUND" AND layer GREATER sees)
        message(SEND_ERROR "${target} sees layers up to ${sees} and must not link ${linked} "
                           "(layer ${layer})")
      endif()
    endforeach()
  endforeach()
  get_property(table GLOBAL PROPERTY DSC_LAYER_TABLE)
  list(JOIN table "\n" text)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/layers.txt CONTENT "${text}\n" @ONLY)
endfunction()
