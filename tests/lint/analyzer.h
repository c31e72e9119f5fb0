/*
 * analyzer.h: what clang's analyzer cannot see across files, told to it by `make tidy` (the
 * compilers never see this): that these functions always return false. Without it every
 * `return err_set(...)` looks like a success with nothing filled in.
 */
#ifndef TESTS_LINT_ANALYZER_H
#define TESTS_LINT_ANALYZER_H

#include "base/err.h"

#define err_set(...) ((void)err_set(__VA_ARGS__), false)
#define err_reason(...) ((void)err_reason(__VA_ARGS__), false)
#define err_wrap(...) ((void)err_wrap(__VA_ARGS__), false)
#define err_errno(...) ((void)err_errno(__VA_ARGS__), false)

#endif
