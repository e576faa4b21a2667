# End-to-end tests: the program judged by captures whose contents are known, by tshark, by damage. They
# need Python; the truth of the golden captures is proven by tshark and dcmdump, the evasion set by a
# real receiver (as root). What cannot run here is skipped (77). tests/README.md says more.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
    set(e2e ${CMAKE_SOURCE_DIR}/tests/e2e)
    add_test(NAME golden_truth COMMAND Python3::Interpreter -B ${e2e}/crosscheck.py)
    add_test(NAME evasion_make COMMAND Python3::Interpreter -B ${e2e}/make_evasion.py
        ${CMAKE_BINARY_DIR}/evasion)
    add_test(NAME evasion_receiver COMMAND Python3::Interpreter -B ${e2e}/receiver.py
        ${CMAKE_BINARY_DIR}/evasion)
    set_tests_properties(golden_truth evasion_receiver PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
    set_tests_properties(evasion_make PROPERTIES FIXTURES_SETUP evasion)
    set_tests_properties(evasion_receiver PROPERTIES FIXTURES_REQUIRED evasion RUN_SERIAL TRUE)
    add_test(NAME cli COMMAND Python3::Interpreter -B ${e2e}/cli.py $<TARGET_FILE:medguan>)
    set_tests_properties(cli PROPERTIES TIMEOUT 900)
    add_test(NAME policy_schema COMMAND Python3::Interpreter -B ${e2e}/policy_schema.py
        $<TARGET_FILE:medguan> ${CMAKE_SOURCE_DIR}/filter/decide/policy.schema.json)
    set_tests_properties(policy_schema PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
    # A build with a sanitizer is several times slower: fewer cuts, the same damage.
    if(MEDGUAN_SANITIZE)
        set(cuts 20)
    else()
        set(cuts 200)
    endif()
    set(judge Python3::Interpreter -B ${e2e}/judge.py $<TARGET_FILE:medguan>)
    set(robust Python3::Interpreter -B ${e2e}/robust.py $<TARGET_FILE:medguan>)
    add_test(NAME judge_golden COMMAND ${judge} golden)
    add_test(NAME judge_evasion COMMAND ${judge} evasion ${CMAKE_BINARY_DIR}/evasion)
    add_test(NAME judge_many COMMAND ${judge} many)
    foreach(case 01 02 03 04 05 06 07 08 09 10)
        add_test(NAME judge_recut_${case} COMMAND ${judge} recut ${cuts} ${case}-)
        set_tests_properties(judge_recut_${case} PROPERTIES TIMEOUT 300)
    endforeach()
    add_test(NAME judge_tshark COMMAND Python3::Interpreter -B ${e2e}/crosscheck.py
        --medguan $<TARGET_FILE:medguan>)
    add_test(NAME robust_truncate COMMAND ${robust} truncate)
    add_test(NAME robust_mutate COMMAND ${robust} mutate 10000)
    add_test(NAME robust_samples COMMAND ${robust} samples)
    set_tests_properties(judge_evasion PROPERTIES FIXTURES_REQUIRED evasion)
    set_tests_properties(judge_tshark robust_samples PROPERTIES SKIP_RETURN_CODE 77)
    set_tests_properties(judge_golden judge_evasion judge_many judge_tshark PROPERTIES TIMEOUT 300)
    set_tests_properties(robust_truncate robust_mutate robust_samples PROPERTIES TIMEOUT 900)
endif()
