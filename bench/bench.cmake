# Programs of the measurements. run.sh builds and starts them.
set(bench_dir ${CMAKE_SOURCE_DIR}/bench)

# The programs to compare with get the best the compiler can do.
foreach(name pcap_sum replicate)
    add_executable(${name} ${bench_dir}/${name}.c)
    target_compile_options(${name} PRIVATE -O3 -Wall -Wextra)
    target_compile_definitions(${name} PRIVATE _DEFAULT_SOURCE)
    target_link_libraries(${name} PRIVATE PkgConfig::DEPS)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endforeach()

# micro measures one stage of the engine at a time.
file(GLOB micro_sources CONFIGURE_DEPENDS ${bench_dir}/micro*.c)
if(micro_sources AND MEDGUAN_FOLDERS)
    add_executable(micro ${micro_sources})
    target_include_directories(micro PRIVATE ${bench_dir})
    target_link_libraries(micro PRIVATE ${MEDGUAN_FOLDERS} PkgConfig::DEPS Threads::Threads)
    target_compile_definitions(micro PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    set_target_properties(micro PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endif()
