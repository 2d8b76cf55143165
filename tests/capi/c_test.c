/* The header and the library from C11: c_test MODEL. */
#include <bittern/bittern.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                     \
    }                                                                 \
  } while (0)

static void check_open_errors(void) {
  char error[200] = "";
  bittern_model* model = NULL;
  CHECK(bittern_open("no such file", &model, error, sizeof(error)) == BITTERN_NOT_FOUND);
  CHECK(model == NULL && strstr(error, "no such file") != NULL);
  CHECK(bittern_open_memory("not a model at all", 18, &model, error, sizeof(error)) == BITTERN_CORRUPT);
  CHECK(strstr(error, "not a Bittern model") != NULL);
  CHECK(bittern_open("no such file", &model, NULL, 0) == BITTERN_NOT_FOUND);
  CHECK(bittern_open(NULL, &model, error, sizeof(error)) == BITTERN_INVALID_ARGUMENT);
  bittern_close(NULL);
  bittern_session_close(NULL);
}

static void check_session(const bittern_model* model) {
  const bittern_info* info = bittern_get_info(model);
  char error[200] = "";
  bittern_session* session = NULL;
  bittern_options options = BITTERN_OPTIONS_INIT;
  options.rule = NULL;
  options.exit = 2;
  CHECK(bittern_session_open(model, &options, &session, error, sizeof(error)) == BITTERN_OK);
  float* samples = calloc(info->window_samples, sizeof(float));
  if (session == NULL || samples == NULL) {
    fprintf(stderr, "no session: %s\n", error);
    ++failures;
    free(samples);
    return;
  }
  const bittern_result* result = NULL;
  CHECK(bittern_classify(session, samples, info->window_samples, &result) == BITTERN_OK);
  CHECK(result != NULL && result->exit == 2);
  CHECK(result != NULL && result->label >= 0 && result->label < info->label_count);
  CHECK(bittern_exit_result(session, 1) == NULL);
  CHECK(bittern_classify(session, samples, 0, &result) == BITTERN_INVALID_ARGUMENT);
  CHECK(strlen(bittern_session_error(session)) > 0);
  CHECK(bittern_classify_exits(session, samples, info->window_samples) == BITTERN_OK);
  for (int exit = 1; exit <= info->exit_count; ++exit) {
    const bittern_result* at_exit = bittern_exit_result(session, exit);
    CHECK(at_exit != NULL && at_exit->exit == exit);
  }
  CHECK(bittern_exit_result(session, info->exit_count + 1) == NULL);
  free(samples);
  bittern_session_close(session);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  char error[200] = "";
  bittern_model* model = NULL;
  CHECK(strlen(bittern_version()) >= 5);
  check_open_errors();
  CHECK(bittern_open(argv[1], &model, error, sizeof(error)) == BITTERN_OK);
  if (model == NULL) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  CHECK(bittern_get_info(model)->label_count == 3);
  CHECK(strcmp(bittern_get_info(model)->labels[0], "yes") == 0);
  check_session(model);
  bittern_close(model);
  return failures == 0 ? 0 : 1;
}
