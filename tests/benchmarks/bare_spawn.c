/* Starts PROGRAM so many times, SLOTS at a time, and looks at every exit code: what this machine can do at best.
   Usage: bare_spawn COUNT SLOTS PROGRAM. Prints seconds. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int left = atoi(argv[1]), slots = atoi(argv[2]), running = 0, status;
    char *arguments[] = {argv[3], NULL};
    double begin = now();
    while (left || running) {
        while (left && running < slots) {
            pid_t pid;
            if (posix_spawn(&pid, argv[3], NULL, NULL, arguments, environ)) return 3;
            left--, running++;
        }
        if (wait(&status) < 0 || status) return 4;
        running--;
    }
    printf("%.6f\n", now() - begin);
    return 0;
}
