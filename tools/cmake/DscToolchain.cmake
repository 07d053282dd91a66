#===- DscToolchain.cmake - defaults that must be set before project() -------===#
#
# Clang 22 compiles MLIR code with precompiled headers several times faster than
# g++ 12 and brings the matching lld. Anything that the user chose stays.
#
#===--------------------------------------------------------------------------===#
include_guard(GLOBAL)

set(DSC_LLVM_PREFIX /usr/lib/llvm-22 CACHE PATH "Where LLVM 22 is installed")
list(APPEND CMAKE_PREFIX_PATH ${DSC_LLVM_PREFIX})

if(NOT DEFINED CMAKE_C_COMPILER AND NOT DEFINED ENV{CC} AND EXISTS ${DSC_LLVM_PREFIX}/bin/clang)
  set(CMAKE_C_COMPILER ${DSC_LLVM_PREFIX}/bin/clang)
endif()
if(NOT DEFINED CMAKE_CXX_COMPILER AND NOT DEFINED ENV{CXX}
   AND EXISTS ${DSC_LLVM_PREFIX}/bin/clang++)
  set(CMAKE_CXX_COMPILER ${DSC_LLVM_PREFIX}/bin/clang++)
endif()

if(NOT DEFINED CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo")
endif()
# Without CMake's -DNDEBUG: DSC_ASSERTIONS alone decides about assertions.
set(CMAKE_CXX_FLAGS_RELEASE "-O2" CACHE STRING "Flags of a Release build")
set(CMAKE_C_FLAGS_RELEASE "-O2" CACHE STRING "Flags of a Release build")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g" CACHE STRING "Flags of a RelWithDebInfo build")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g" CACHE STRING "Flags of a RelWithDebInfo build")
