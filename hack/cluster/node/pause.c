/*
 * Holds a pod's namespaces open for as long as the pod lives. As the first process in a shared
 * process namespace it also reaps the orphans of the pod's containers.
 */
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static void stop(int number)
{
	(void)number;
	_exit(0);
}

static void reap(int number)
{
	(void)number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static int handle(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NOCLDSTOP};

	return sigaction(number, &action, NULL);
}

int main(void)
{
	if (handle(SIGINT, stop) < 0 || handle(SIGTERM, stop) < 0 || handle(SIGCHLD, reap) < 0)
		return 1;
	for (;;)
		pause();
}
