/* minimal MODEL < PCM: what is in a recording of 16-bit samples at the model's rate, mono, this machine's
 * byte order. All that a program needs of Bittern; cmake/BitternFootprint.cmake measures how much larger it
 * makes one. */
#include <bittern/bittern.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_SAMPLES 160000

int main(int argc, char** argv) {
  static float samples[MAX_SAMPLES];
  size_t count = 0;
  int16_t sample = 0;
  if (argc != 2) return 2;
  while (count < MAX_SAMPLES && fread(&sample, sizeof(sample), 1, stdin) == 1)
    samples[count++] = (float)sample / 32768.0f;

  bittern_model* model = NULL;
  bittern_session* session = NULL;
  const bittern_result* result = NULL;
  char error[256] = "";
  if (bittern_open(argv[1], &model, error, sizeof(error)) == BITTERN_OK &&
      bittern_session_open(model, NULL, &session, error, sizeof(error)) == BITTERN_OK &&
      bittern_classify(session, samples, count, &result) == BITTERN_OK) {
    printf("%s %.3f\n", bittern_get_info(model)->labels[result->label], (double)result->probability);
  } else {
    fprintf(stderr, "minimal: %s%s\n", error, bittern_session_error(session));
  }
  const int status = result == NULL ? 1 : 0;
  bittern_session_close(session);
  bittern_close(model);
  return status;
}
