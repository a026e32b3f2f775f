# Helpers of the top CMakeLists.txt: a floor (a folder that is a library), programs, tests, fuzz targets, the BPF object.

add_library(waylay_options INTERFACE)
target_include_directories(waylay_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/daemon)
target_compile_definitions(waylay_options INTERFACE _GNU_SOURCE WAYLAY_VERSION="${PROJECT_VERSION}")
# Warnings are errors with the compiler that we use; g++ 12 has others (it blames casts in OpenSSL's macros on us, and
# takes enumerators of an enum class for names that hide others).
set(clang $<CXX_COMPILER_ID:Clang>)
target_compile_options(waylay_options INTERFACE
  -Wall -Wextra -Wpedantic $<${clang}:-Werror> $<${clang}:-Wshadow> -Wnon-virtual-dtor -Wcast-qual $<${clang}:-Wold-style-cast> -Woverloaded-virtual
  -Wno-missing-field-initializers -fstack-protector-strong
  $<${clang}:-Wno-c99-extensions;-Wno-gnu-zero-variadic-macro-arguments>
  $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>)
target_link_options(waylay_options INTERFACE -Wl,-z,relro,-z,now)
if(WAYLAY_SANITIZE)
  target_compile_options(waylay_options INTERFACE -fsanitize=${WAYLAY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(waylay_options INTERFACE -fsanitize=${WAYLAY_SANITIZE})
endif()
if(WAYLAY_FUZZ)
  target_compile_options(waylay_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# waylay_floor(NAME FLOORS below... LINK libraries... [IN folder] [EXCEPT files...]): the folder daemon/NAME as the library
# waylay_NAME.
function(waylay_floor name)
  cmake_parse_arguments(A "" "IN" "FLOORS;LINK;EXCEPT" ${ARGN})
  if(NOT A_IN)
    set(A_IN daemon/${name})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${A_IN}/*.cc)
  list(TRANSFORM A_EXCEPT PREPEND ${CMAKE_SOURCE_DIR}/${A_IN}/)
  list(REMOVE_ITEM sources ${A_EXCEPT} "")
  list(TRANSFORM A_FLOORS PREPEND waylay_)
  if(sources)
    add_library(waylay_${name} STATIC ${sources})
    target_link_libraries(waylay_${name} PUBLIC waylay_options ${A_FLOORS} ${A_LINK})
  else()
    add_library(waylay_${name} INTERFACE)
    target_link_libraries(waylay_${name} INTERFACE waylay_options ${A_FLOORS} ${A_LINK})
  endif()
endfunction()

# waylay_program(NAME SOURCES files... | SOURCES_IN folder, FLOORS ..., LINK ...)
function(waylay_program name)
  cmake_parse_arguments(A "" "SOURCES_IN" "SOURCES;FLOORS;LINK" ${ARGN})
  if(A_SOURCES_IN)
    file(GLOB A_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${A_SOURCES_IN}/*.cc)
  endif()
  set(present)
  foreach(source ${A_SOURCES})
    get_filename_component(path ${source} ABSOLUTE BASE_DIR ${CMAKE_SOURCE_DIR})
    if(EXISTS ${path})
      list(APPEND present ${path})
    endif()
  endforeach()
  if(NOT present)
    return()
  endif()
  list(TRANSFORM A_FLOORS PREPEND waylay_)
  add_executable(${name} ${present})
  target_link_libraries(${name} PRIVATE waylay_options ${A_FLOORS} ${A_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()

# waylay_tests(NAME IN folder LABEL label FLOORS ...): every *_test.cc of a folder as one GoogleTest program.
function(waylay_tests name)
  cmake_parse_arguments(A "" "IN;LABEL" "FLOORS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${A_IN}/*_test.cc)
  if(NOT sources)
    return()
  endif()
  file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${A_IN}/support*.cc)
  list(TRANSFORM A_FLOORS PREPEND waylay_)
  add_executable(${name} ${sources} ${support})
  target_link_libraries(${name} PRIVATE waylay_options ${A_FLOORS} ${A_LINK} GTest::gtest GTest::gtest_main GTest::gmock)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE WAYLAY_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${A_LABEL} TIMEOUT 300)
endfunction()

# waylay_fuzz_targets(IN folder FLOORS ...): every NAME_fuzz.cc as a libFuzzer program NAME_fuzz; corpus in folder/corpus/NAME.
function(waylay_fuzz_targets)
  cmake_parse_arguments(A "" "IN" "FLOORS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${A_IN}/*_fuzz.cc)
  list(TRANSFORM A_FLOORS PREPEND waylay_)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE waylay_options ${A_FLOORS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzzers)
  endforeach()
endfunction()

# waylay_benchmarks(IN folder FLOORS ...): micro_bench out of folder/micro, and folder/instructions.cc for callgrind.
function(waylay_benchmarks)
  cmake_parse_arguments(A "" "IN" "FLOORS" ${ARGN})
  file(GLOB micro CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${A_IN}/micro/*_bench.cc ${CMAKE_SOURCE_DIR}/${A_IN}/micro/micro_main.cc)
  list(TRANSFORM A_FLOORS PREPEND waylay_)
  file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${A_IN}/micro/support_*.cc)
  # The playbook brings the certificate authorities and contexts of the flow's tests.
  add_library(bench_support STATIC ${support} ${CMAKE_SOURCE_DIR}/tests/flow/support_playbook.cc)
  target_link_libraries(bench_support PUBLIC waylay_options ${A_FLOORS} GTest::gtest)
  target_include_directories(bench_support PUBLIC ${CMAKE_SOURCE_DIR}/tests)
  add_executable(micro_bench ${micro})
  target_link_libraries(micro_bench PRIVATE bench_support benchmark::benchmark)
  add_executable(instructions ${CMAKE_SOURCE_DIR}/${A_IN}/instructions.cc)
  target_link_libraries(instructions PRIVATE bench_support)
  # valgrind 3.19 gives up on the debug information that clang 19 writes; names of functions are enough.
  target_link_options(instructions PRIVATE -Wl,--strip-debug)
endfunction()

# waylay_bpf_object(NAME SOURCE): compiles SOURCE for the BPF target and makes its libbpf skeleton NAME.skel.h.
function(waylay_bpf_object name source)
  add_library(${name}_bpf_skeleton INTERFACE)
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${source})
    return()
  endif()
  find_program(BPF_CLANG clang-19 REQUIRED)
  find_program(BPFTOOL bpftool PATHS /usr/sbin REQUIRED)
  set(directory ${CMAKE_BINARY_DIR}/bpf)
  file(MAKE_DIRECTORY ${directory})
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*.h)
  # asm/types.h lies in the multiarch folder, which the BPF target does not search by itself.
  add_custom_command(
    OUTPUT ${directory}/${name}.skel.h
    COMMAND ${BPF_CLANG} -g -O2 -Wall -Wextra -Werror -target bpf -I${CMAKE_SOURCE_DIR}
            -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -c ${CMAKE_SOURCE_DIR}/${source} -o ${directory}/${name}.bpf.o
    # What is generated is not ours to lint, also where the analyzer follows a path from our code into it.
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTBEGIN" > ${directory}/${name}.skel.h
    COMMAND ${BPFTOOL} gen skeleton ${directory}/${name}.bpf.o name ${name}_bpf >> ${directory}/${name}.skel.h
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTEND" >> ${directory}/${name}.skel.h
    DEPENDS ${CMAKE_SOURCE_DIR}/${source} ${headers}
    COMMENT "BPF ${source}" VERBATIM)
  add_custom_target(${name}_bpf_generated DEPENDS ${directory}/${name}.skel.h)
  add_dependencies(${name}_bpf_skeleton ${name}_bpf_generated)
  target_include_directories(${name}_bpf_skeleton SYSTEM INTERFACE ${directory})
endfunction()
