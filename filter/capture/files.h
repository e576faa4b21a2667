/* files.h - the capture files under some paths, in the order they are to be read. */
#ifndef CAPTURE_FILES_H
#define CAPTURE_FILES_H

#include <sys/types.h>

#include "capture/records.h"

struct capture_file {
    char *path;
    uint64_t size;     /* as stored, 0 for streams */
    uint64_t first_ns; /* time of the first packet, UINT64_MAX when none was found */
    dev_t device;
    ino_t inode;
    size_t given; /* its place in the order it was found */
    bool stream;  /* standard input, a pipe: can be read once only */
};

struct file_list {
    struct capture_file *files;
    size_t n, max;
    uint64_t ignored; /* under folders, not captures */
};

/* files_find adds what is at a path: the file itself, or all captures in the folder. Faults are
 * told; STATUS_MEMORY is all it can fail with. */
enum status files_find(struct file_list *list, const char *path, struct complaints *complaints);

/* files_order sorts by first packet and name, streams last as given, and drops files met twice. */
void files_order(struct file_list *list);

void files_free(struct file_list *list);

#endif
