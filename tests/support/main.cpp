// The main of every test program. GoogleTest's own exits with 0 when tests were skipped; a skip is
// no pass.
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const int status = RUN_ALL_TESTS();
  constexpr int kSkipped = 77;
  const bool skipped = ::testing::UnitTest::GetInstance()->skipped_test_count() != 0;
  return status == 0 && skipped ? kSkipped : status;
}
