# End-to-end tests that need only Python: the truth of the golden captures is proven by tshark and
# dcmdump, the evasion set by a real receiver (as root). What cannot run here is skipped (77).
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
    add_test(NAME policy_schema COMMAND Python3::Interpreter -B ${e2e}/policy_schema.py
        $<TARGET_FILE:medguan> ${CMAKE_SOURCE_DIR}/filter/decide/policy.schema.json)
    set_tests_properties(policy_schema PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()
