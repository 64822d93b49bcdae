/*
 * drain - reads standard input to its end and drops it: what a pipe costs any reader. With as much at a time as the program asks for.
 */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    static char bytes[1 << 18];
    ssize_t n;
    while ((n = read(STDIN_FILENO, bytes, sizeof bytes)) > 0)
        continue;
    if (n < 0)
        perror("drain");
    return n < 0 ? 2 : 0;
}
