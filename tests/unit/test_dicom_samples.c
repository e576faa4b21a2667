/* test_dicom_samples.c - real DICOM files, when MEDGUAN_SAMPLES names a folder that has some: the
 * law holds over the first 64 KiB of each, and each file is read to its end. */
#include <dirent.h>
#include <sys/stat.h>

#include "tests/unit/test_dicom_build.h"

enum {
    DEPTH_MAX = 16,
    LAW_LEN = 64 * 1024
};

static unsigned n_files;

static bool is_part10(const uint8_t *p, size_t len)
{
    return len >= 132 && memcmp(p + 128, "DICM", 4) == 0;
}

static void file_check(const char *path)
{
    size_t len = 0;
    uint8_t *p = drive_file(path, &len);
    if (p != NULL && is_part10(p, len)) {
        char *log = drive_events(&dicom_dissector, p, len, "application/dicom");
        if (strncmp(log, "begin file\n", 11) != 0 || strstr(log, "\nend\n") == NULL)
            fail_msg("%s is not read to its end", path);
        free(log);
        char *differs =
            drive_law(&dicom_dissector, p, len < LAW_LEN ? len : LAW_LEN, NULL, 5, n_files);
        if (differs != NULL)
            fail_msg("%s: %.2000s", path, differs);
        n_files++;
    }
    free(p);
}

static void folder_check(const char *path, unsigned depth)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char inner[4096];
        struct stat st;
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (lstat(inner, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            folder_check(inner, depth + 1);
        else if (S_ISREG(st.st_mode))
            file_check(inner);
    }
    (void)closedir(dir);
}

static void samples(void **state)
{
    (void)state;
    const char *folder = getenv("MEDGUAN_SAMPLES");
    if (folder == NULL || folder[0] == '\0') {
        print_message("MEDGUAN_SAMPLES is not set: no sample is read\n");
        skip();
    }
    folder_check(folder, 0);
    print_message("%u DICOM files\n", n_files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(samples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
