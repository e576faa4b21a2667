/* files.c - searches folders for captures and orders them by time. */
#include "capture/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/input.h"

enum {
    FOLDER_DEPTH_MAX = 64,
    PEEK_BYTES = 64 * 1024 /* read at once when looking for the first packet */
};

static enum status add_file(struct file_list *list, const char *path, const struct stat *st,
                            uint64_t first_ns)
{
    if (list->n == list->max) {
        size_t max = list->max > 0 ? 2 * list->max : 16;
        struct capture_file *more = realloc(list->files, max * sizeof *more);
        if (more == NULL)
            return STATUS_MEMORY;
        list->files = more;
        list->max = max;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return STATUS_MEMORY;
    struct capture_file *file = &list->files[list->n];
    *file = (struct capture_file){.path = copy, .first_ns = first_ns, .given = list->n++};
    file->stream = st == NULL || !S_ISREG(st->st_mode);
    if (!file->stream) {
        file->size = (uint64_t)st->st_size;
        file->device = st->st_dev;
        file->inode = st->st_ino;
    }
    return STATUS_OK;
}

/* Reads until the first packet. Damage is not told here: reading in earnest will tell it. */
static bool peek_records(struct input *in, struct block *b, uint64_t *first_ns)
{
    struct complaints quiet = {0};
    struct records r = {.name = "", .complaints = &quiet};
    size_t len = 0;
    bool right = false;
    *first_ns = UINT64_MAX;
    b->n_packets = 0;
    while (len + PEEK_BYTES <= b->capacity) {
        size_t got;
        enum status status = input_read(in, b->memory + len, PEEK_BYTES, &got, NULL);
        len += status == STATUS_OK ? got : 0;
        right = right || records_looks_right(b->memory, len);
        if (!right && (len >= 12 || status != STATUS_OK))
            break;
        size_t done = right ? records_walk(&r, b->memory, len, false, b) : 0;
        if (b->n_packets > 0 || r.ended || r.skip > 0 || status != STATUS_OK)
            break;
        memmove(b->memory, b->memory + done, len - done);
        len -= done;
    }
    if (b->n_packets > 0)
        *first_ns = b->packets[0].time_ns;
    records_free(&r);
    return right;
}

struct search {
    struct file_list *list;
    struct complaints *complaints;
    struct block *block; /* scratch for peeking */
};

static enum status find_file(struct search *s, const char *path, const struct stat *st,
                             bool in_folder)
{
    if (!S_ISREG(st->st_mode)) {
        if (in_folder) {
            s->list->ignored++;
            return STATUS_OK;
        }
        return add_file(s->list, path, st, UINT64_MAX);
    }
    struct fault f;
    struct input *in = input_open(path, path, &f);
    if (in == NULL) {
        complaints_add(s->complaints, "%s", f.text);
        return STATUS_OK;
    }
    uint64_t first_ns;
    bool right = peek_records(in, s->block, &first_ns);
    input_close(in);
    if (!right && in_folder) {
        s->list->ignored++;
        return STATUS_OK;
    }
    return add_file(s->list, path, st, first_ns);
}

static char *join(const char *folder, const char *name)
{
    size_t folder_len = strlen(folder), name_len = strlen(name);
    while (folder_len > 1 && folder[folder_len - 1] == '/')
        folder_len--;
    char *path = malloc(folder_len + name_len + 2);
    if (path == NULL)
        return NULL;
    memcpy(path, folder, folder_len);
    path[folder_len] = '/';
    memcpy(path + folder_len + 1, name, name_len + 1);
    return path;
}

static enum status find_at(struct search *s, const char *path, unsigned depth);

/* Recursion ends at FOLDER_DEPTH_MAX; symbolic links to folders are not followed below the top. */
static enum status find_in_folder(struct search *s, const char *path, unsigned depth)
{
    DIR *folder = opendir(path);
    if (folder == NULL || depth > FOLDER_DEPTH_MAX) {
        complaints_add(s->complaints, "%s: cannot open folder: %s", path,
                       folder == NULL ? strerror(errno) : "too deep");
        if (folder != NULL)
            (void)closedir(folder);
        return STATUS_OK;
    }
    enum status status = STATUS_OK;
    for (struct dirent *e; status == STATUS_OK && (e = readdir(folder)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char *below = join(path, e->d_name);
        status = below == NULL ? STATUS_MEMORY : find_at(s, below, depth + 1);
        free(below);
    }
    (void)closedir(folder);
    return status;
}

static enum status find_at(struct search *s, const char *path, unsigned depth)
{
    struct stat st;
    bool link = depth > 0 && lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
    if (stat(path, &st) != 0) {
        if (!link) /* a link to nowhere inside a folder is no capture */
            complaints_add(s->complaints, "%s: cannot open: %s", path, strerror(errno));
        else
            s->list->ignored++;
        return STATUS_OK;
    }
    if (!S_ISDIR(st.st_mode))
        return find_file(s, path, &st, depth > 0);
    return link ? STATUS_OK : find_in_folder(s, path, depth);
}

enum status files_find(struct file_list *list, const char *path, struct complaints *complaints)
{
    if (strcmp(path, "-") == 0)
        return add_file(list, path, NULL, UINT64_MAX);
    struct search s = {.list = list, .complaints = complaints, .block = block_new()};
    if (s.block == NULL)
        return STATUS_MEMORY;
    enum status status = find_at(&s, path, 0);
    block_free(s.block);
    return status;
}

static int order_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_identity(const void *left, const void *right)
{
    const struct capture_file *a = left, *b = right;
    if (a->stream || b->stream)
        return a->stream != b->stream ? a->stream - b->stream : order_numbers(a->given, b->given);
    if (a->device != b->device)
        return order_numbers(a->device, b->device);
    if (a->inode != b->inode)
        return order_numbers(a->inode, b->inode);
    return order_numbers(a->given, b->given);
}

static int by_time(const void *left, const void *right)
{
    const struct capture_file *a = left, *b = right;
    if (a->stream || b->stream)
        return a->stream != b->stream ? a->stream - b->stream : order_numbers(a->given, b->given);
    if (a->first_ns != b->first_ns)
        return order_numbers(a->first_ns, b->first_ns);
    return strcmp(a->path, b->path);
}

void files_order(struct file_list *list)
{
    if (list->n == 0)
        return;
    qsort(list->files, list->n, sizeof *list->files, by_identity);
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct capture_file *file = &list->files[i],
                            *before = &list->files[kept > 0 ? kept - 1 : 0];
        if (kept > 0 && !file->stream && !before->stream && file->device == before->device &&
            file->inode == before->inode)
            free(file->path);
        else
            list->files[kept++] = *file;
    }
    list->n = kept;
    qsort(list->files, list->n, sizeof *list->files, by_time);
}

void files_free(struct file_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->files[i].path);
    free(list->files);
    *list = (struct file_list){0};
}
