/* replay.c - runs a fuzz target over a folder of files; an ordinary test. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int main(int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (dir == NULL) {
            (void)fprintf(stderr, "%s: no such corpus\n", argv[i]);
            return 1;
        }
        for (struct dirent *e; (e = readdir(dir)) != NULL;) {
            char path[4096];
            (void)snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
            size_t len = 0;
            uint8_t *bytes = e->d_name[0] == '.' ? NULL : drive_file(path, &len);
            if (bytes == NULL)
                continue;
            /* An exact-size copy, so that a sanitizer sees an overread. */
            uint8_t *copy = malloc(len > 0 ? len : 1);
            if (copy != NULL && len > 0)
                memcpy(copy, bytes, len);
            free(bytes);
            if (copy == NULL)
                return 1;
            (void)LLVMFuzzerTestOneInput(copy, len);
            free(copy);
            n++;
        }
        (void)closedir(dir);
    }
    if (n == 0) {
        (void)fprintf(stderr, "no seed was run\n");
        return 1;
    }
    (void)printf("%d seeds\n", n);
    return 0;
}
