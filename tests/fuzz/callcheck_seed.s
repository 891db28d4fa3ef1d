# SPDX-License-Identifier: BSD-2-Clause
# A C library in small, for the first input of fuzz_callcheck (make fuzz-seeds-symbols).
	.text
	.macro fn name
	.globl \name
	.type \name, @function
	.p2align 4
\name:
	.cfi_startproc
	.endm
	.macro end name
	.cfi_endproc
	.size \name, .-\name
	.endm

	fn _start
	xor %ebp, %ebp
	call __libc_start_main
	hlt
	end _start
	fn exit
	ret
	end exit
	fn start_call_main
	call *%rax
	mov %eax, %edi
	call exit
	end start_call_main
	fn __libc_start_main
	call start_call_main
	hlt
	end __libc_start_main
	fn thread_entry
	call *0x638(%rbx)
	mov $60, %eax
	syscall
	ret
	end thread_entry
	fn create
	lea thread_entry(%rip), %rsi
	call *%rdx
	ret
	end create
	fn pthread_create
	call create
	ret
	end pthread_create
	fn clone
	call *%rdx
	mov %eax, %edi
	mov $60, %eax
	syscall
	end clone
	fn restore
	mov $15, %rax
	syscall
	end restore
