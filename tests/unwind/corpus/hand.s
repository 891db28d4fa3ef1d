# SPDX-License-Identifier: BSD-2-Clause
# Written by hand, with and around what compilers do: its own CFI is all that an unwinder has.
	.text
	.globl	main
	.type	main, @function
main:
	.cfi_startproc
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	int3
	call	by_register
	call	realigned
	call	saved_sp
	call	two_exits
	call	far_saves
	call	rbp_as_data
	call	remembered
	int3
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	xorl	%eax, %eax
	ret
	.cfi_endproc
	.size	main, .-main

# The CFA by another register, as gcc does before it aligns.
by_register:
	.cfi_startproc
	leaq	8(%rsp), %r10
	.cfi_def_cfa %r10, 0
	andq	$-64, %rsp
	pushq	-8(%r10)
	pushq	%rbp
	movq	%rsp, %rbp
	.cfi_escape 0x10,0x6,0x2,0x76,0x0		# rbp at rbp + 0
	pushq	%r10
	.cfi_escape 0xf,0x3,0x76,0x78,0x6		# CFA: the word at rbp - 8
	subq	$120, %rsp
	call	leaf
	addq	$120, %rsp
	popq	%r10
	.cfi_def_cfa %r10, 0
	popq	%rbp
	leaq	-8(%r10), %rsp
	.cfi_def_cfa %rsp, 8
	.cfi_restore %rbp
	ret
	.cfi_endproc

# sp realigned, the old one in memory above: "the word at sp + n, plus 8".
realigned:
	.cfi_startproc
	movq	%rsp, %rax
	.cfi_def_cfa_register %rax
	subq	$64, %rsp
	andq	$-32, %rsp
	movq	%rax, 40(%rsp)
	.cfi_escape 0xf,0x5,0x77,0x28,0x6,0x23,0x8

	call	leaf
	movq	40(%rsp), %rax
	.cfi_def_cfa %rax, 8
	movq	%rax, %rsp
	.cfi_def_cfa_register %rsp
	ret
	.cfi_endproc

# sp kept in a callee-saved register: right in the innermost frame, and no rule from others.
saved_sp:
	.cfi_startproc
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	subq	$300, %rsp
	andq	$-16, %rsp
	call	leaf
	leave
	.cfi_def_cfa %rsp, 8
	.cfi_restore %rbp
	ret
	.cfi_endproc

two_exits:
	.cfi_startproc
	pushq	%rbx
	.cfi_def_cfa_offset 16
	.cfi_offset %rbx, -16
	subq	$32, %rsp
	.cfi_def_cfa_offset 48
	call	leaf
	testl	%eax, %eax
	jz	1f
	.cfi_remember_state
	addq	$32, %rsp
	.cfi_def_cfa_offset 16
	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
1:	.cfi_restore_state
	call	leaf
	addq	$32, %rsp
	.cfi_def_cfa_offset 16
	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc

# rbp saved far away from the CFA.
far_saves:
	.cfi_startproc
	subq	$4096, %rsp
	.cfi_adjust_cfa_offset 4096
	movq	%rbp, 64(%rsp)
	.cfi_rel_offset %rbp, 64
	xorl	%ebp, %ebp
	call	leaf
	movq	64(%rsp), %rbp
	.cfi_restore %rbp
	addq	$4096, %rsp
	.cfi_adjust_cfa_offset -4096
	ret
	.cfi_endproc

rbp_as_data:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movl	$12345, %ebp
	subq	$16, %rsp
	.cfi_def_cfa_offset 32
	call	far_saves
	addq	$16, %rsp
	.cfi_def_cfa_offset 16
	popq	%rbp
	.cfi_restore %rbp
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc

remembered:
	.cfi_startproc
	.cfi_remember_state
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_remember_state
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	pushq	$7
	.cfi_adjust_cfa_offset 8
	call	leaf
	addq	$16, %rsp
	.cfi_restore_state
	call	leaf_of_one
	popq	%r12
	.cfi_restore_state
	ret
	.cfi_endproc

leaf_of_one:
	.cfi_startproc
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	call	leaf
	popq	%rax
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc

leaf:
	.cfi_startproc
	pushfq
	.cfi_adjust_cfa_offset 8
	xorl	%eax, %eax
	popfq
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.section	.note.GNU-stack,"",@progbits
