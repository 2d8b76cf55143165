/* consumer MODEL SAMPLES: classifies raw little-endian float samples and prints the answer, then what every
 * exit says. */
#include <bittern/bittern.h>
#include <stdio.h>
#include <stdlib.h>

static float* read_samples(const char* path, size_t* count) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  *count = (size_t)ftell(file) / sizeof(float);
  rewind(file);
  float* samples = malloc(*count * sizeof(float));
  if (samples != NULL && fread(samples, sizeof(float), *count, file) != *count) {
    free(samples);
    samples = NULL;
  }
  fclose(file);
  return samples;
}

static void print(const bittern_info* info, const bittern_result* result) {
  printf("%s at exit %d, probability %.9g, entropy %.9g, share %.9g\n", info->labels[result->label],
         result->exit, (double)result->probability, (double)result->entropy, result->macs_share);
}

static int classify(const bittern_model* model, const float* samples, size_t count) {
  const bittern_info* info = bittern_get_info(model);
  char error[256] = "";
  bittern_session* session = NULL;
  bittern_options options = BITTERN_OPTIONS_INIT;
  options.threshold = 1.5f;
  if (bittern_session_open(model, &options, &session, error, sizeof(error)) != BITTERN_OK) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  int status = 1;
  const bittern_result* result = NULL;
  if (bittern_classify(session, samples, count, &result) == BITTERN_OK) {
    print(info, result);
    if (bittern_classify_exits(session, samples, count) == BITTERN_OK) {
      for (int exit = 1; exit <= info->exit_count; ++exit) print(info, bittern_exit_result(session, exit));
      status = 0;
    }
  }
  if (status != 0) fprintf(stderr, "%s\n", bittern_session_error(session));
  bittern_session_close(session);
  return status;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  size_t count = 0;
  float* samples = read_samples(argv[2], &count);
  char error[256] = "cannot read the samples";
  bittern_model* model = NULL;
  int status = 1;
  if (samples != NULL && bittern_open(argv[1], &model, error, sizeof(error)) == BITTERN_OK) {
    status = classify(model, samples, count);
  } else {
    fprintf(stderr, "%s\n", error);
  }
  bittern_close(model);
  free(samples);
  return status;
}
