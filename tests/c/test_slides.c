/* SPDX-License-Identifier: Apache-2.0
 *
 * test_slides slide.txt program.c: the program holds the lines of the slide,
 * character for character and in one piece.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *content(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = malloc(1 << 20);
	size_t size;

	if (file == NULL || text == NULL) {
		perror(path);
		exit(1);
	}
	size = fread(text, 1, (1 << 20) - 1, file);
	text[size] = '\0';
	fclose(file);
	return text;
}

int main(int argc, char **argv)
{
	char *slide, *program, *found;
	int differs;

	if (argc != 3)
		return 2;
	slide = content(argv[1]);
	program = content(argv[2]);
	found = strstr(program, slide);
	/* From the beginning of a line to the end of one. */
	differs = strlen(slide) < 100 || found == NULL || found == program || found[-1] != '\n' ||
	          slide[strlen(slide) - 1] != '\n';
	if (differs)
		fprintf(stderr, "%s does not hold the lines of %s as they are\n", argv[2], argv[1]);
	free(slide);
	free(program);
	return differs;
}
