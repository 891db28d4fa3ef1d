# SPDX-License-Identifier: BSD-2-Clause
# Two functions as Go 1.20 to 1.26 (VERSION 20), 1.16 (16) and 1.2 (2) describe them: "push rbp; sub
# $16, rsp; ...", and one that writes sp. Assembled by "make fuzz-seeds-unwind".
	.section .gopclntab,"a",@progbits
.if VERSION == 20
t:	.long	0xfffffff1
	.byte	0, 0, 1, 8
	.quad	2, 1, 0, names - t, names - t, names - t, pctab - t, functab - t
names:	.asciz	"main.main"
stop:	.asciz	"runtime.goexit.abi0"
pctab:	.byte	0
sp0:	.byte	2, 1, 16, 4, 32, 20, 47, 7, 0
	.balign	4
functab:
	.long	0, f0 - functab, 64, f1 - functab, 128
f0:	.long	0, 0, 0, 0, sp0 - pctab, 0, 0, 0, 0, 1
	.byte	0, 0, 0, 0
f1:	.long	64, stop - names, 0, 0, sp0 - pctab, 0, 0, 0, 0, 1
	.byte	0, 1, 0, 0
.elseif VERSION == 16
t:	.long	0xfffffffa
	.byte	0, 0, 1, 8
	.quad	1, 1, names - t, names - t, names - t, pctab - t, functab - t
names:	.asciz	"main.main"
pctab:	.byte	0
sp0:	.byte	2, 4, 32, 60, 0
	.balign	8
functab:
	.quad	0x401000, f0 - functab, 0x401040
f0:	.quad	0x401000
	.long	0, 0, 0, sp0 - pctab, 0, 0, 0, 0
.else
t:	.long	0xfffffffb
	.byte	0, 0, 1, 8
	.quad	1, 0x401000, f0 - t, 0x401040
f0:	.quad	0x401000
	.long	names - t, 0, 0, sp0 - t, 0, 0, 0, 0
names:	.asciz	"main.main"
sp0:	.byte	2, 4, 32, 60, 0
.endif
