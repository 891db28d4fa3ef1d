/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/commands.h"

int main(int argc, char **argv)
{
	return leat_cli_main(argc, argv);
}
