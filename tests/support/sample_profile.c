/* SPDX-License-Identifier: BSD-2-Clause */
#include "sample_profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

#define FREQ_HZ	   99
#define KERNEL_CUT 0x80 /* in a result: the kernel part is truncated */

/*
 * A stack as text, outermost first: "name@m;name@m ...", where m is a letter of the list below.
 * Hostile names come in by number: "#3@n".
 */
struct stack_text {
	uint32_t weight;
	uint8_t result;
	const char *frames;
};

static const struct module {
	char letter;
	uint8_t object_kind, function_kind;
	const char *path;
} modules[] = {
	{ 'n', LEAT_OBJECT_FILE, LEAT_FUNCTION_NATIVE, "/usr/sbin/nginx" },
	{ 'c', LEAT_OBJECT_FILE, LEAT_FUNCTION_NATIVE, "/usr/lib/x86_64-linux-gnu/libc.so.6" },
	{ 's', LEAT_OBJECT_FILE, LEAT_FUNCTION_NATIVE, "/usr/lib/x86_64-linux-gnu/libcrypto.so.3" },
	{ 'z', LEAT_OBJECT_FILE, LEAT_FUNCTION_NATIVE, "/usr/lib/x86_64-linux-gnu/libz.so.1.2.13" },
	{ 'i', LEAT_OBJECT_FILE, LEAT_FUNCTION_INLINED, "/usr/sbin/nginx" },
	{ 'k', LEAT_OBJECT_KERNEL, LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 'm', LEAT_OBJECT_KERNEL, LEAT_FUNCTION_MODULE, "[virtio_net]" },
	{ 'b', LEAT_OBJECT_KERNEL, LEAT_FUNCTION_BPF, "[bpf]" },
	{ 'v', LEAT_OBJECT_VDSO, LEAT_FUNCTION_NATIVE, "[vdso]" },
	{ 'j', LEAT_OBJECT_JIT, LEAT_FUNCTION_JIT, "[jit]" },
};

static const char *const hostile[] = {
	"</script><img src=x onerror=alert(1)>",
	"]]></title><script>alert(2)</script>",
	"quote\" back\\slash 'single' & amp;",
	"line\nbreak\ttab\r;semi;colon",
	("separators\xe2\x80\xa8"
	 "and\xe2\x80\xa9"
	 "end"),
	"invalid\xff\xfe\xc3(utf8\xed\xa0\x80",
	("bidi\xe2\x80\xae"
	 "txt.exe"),
	"escape\x1b[31mred\x07",
	"na\xc3\xafve_\xe5\x87\xbd\xe6\x95\xb0_\xf0\x9f\x94\xa5",
	"std::map<int, std::vector<char> >::operator[](int const&)",
	"",
	"{\"json\":[1,2]}",
};

static const struct stack_text hostile_stacks[] = {
	{ 30, LEAT_STACK_COMPLETE, "_start@n;main@n;work@n;hot@n" },
	{ 11, LEAT_STACK_COMPLETE, "_start@n;main@n;work@n;work@n;hot@n" },
	{ 7, LEAT_STACK_COMPLETE, "_start@n;main@n;#0@n;memcpy@c" },
	{ 6, LEAT_STACK_COMPLETE, "_start@n;main@n;#1@n;#2@n" },
	{ 5, LEAT_STACK_COMPLETE, "_start@n;main@n;#3@n;#4@n;#5@n" },
	{ 5, LEAT_STACK_COMPLETE, "_start@n;main@n;#6@n;#7@n" },
	{ 4, LEAT_STACK_COMPLETE, "_start@n;main@n;#8@c;#9@i" },
	{ 3, LEAT_STACK_COMPLETE, "_start@n;main@n;#10@n;#11@n" },
	{ 7, LEAT_STACK_COMPLETE,
	  "_start@n;main@n;read@c;entry_SYSCALL_64@k;vfs_read@k;virtnet_poll@m" },
	{ 2, LEAT_STACK_COMPLETE | KERNEL_CUT,
	  "_start@n;main@n;read@c;entry_SYSCALL_64@k;kdeep@k" },
	{ 4, LEAT_STACK_TRUNCATED, "deep@n;deeper@n;deepest@n" },
	{ 3, LEAT_STACK_NO_UNWIND, "lost@z" },
	{ 2, LEAT_STACK_COMPLETE,
	  "_start@n;main@n;jit_code@j;clock_gettime@v;bpf_prog_6deef7357e7b4530@b" },
	{ 1, LEAT_STACK_BAD_MEMORY, "broken@s" },
};

static const struct stack_text server_stacks[] = {
#define MAIN                                                                                           \
	"_start@n;__libc_start_main@c;main@n;ngx_master_process_cycle@n;ngx_start_worker_processes@n;" \
	"ngx_spawn_process@n;ngx_worker_process_cycle@n;ngx_process_events_and_timers@n"
#define EPOLL MAIN ";ngx_epoll_process_events@n"
#define HTTP                                                                                       \
	EPOLL ";ngx_http_wait_request_handler@n;ngx_http_process_request_line@n;"                  \
	      "ngx_http_process_request_headers@n;ngx_http_process_request@n;ngx_http_handler@n;ngx_http_core_run_phases@n"
#define CONTENT HTTP ";ngx_http_core_content_phase@n;ngx_http_static_handler@n"
#define OUTPUT                                                                                        \
	CONTENT ";ngx_http_output_filter@n;ngx_http_range_body_filter@n;ngx_http_gzip_body_filter@n;" \
		"ngx_http_write_filter@n;ngx_linux_sendfile_chain@n"
#define SYS ";entry_SYSCALL_64_after_hwframe@k;do_syscall_64@k"
#define SEND                                                                                       \
	";writev@c" SYS                                                                            \
	";__x64_sys_writev@k;do_writev@k;vfs_writev@k;do_iter_readv_writev@k;sock_write_iter@k;"   \
	"inet_sendmsg@k;tcp_sendmsg@k;tcp_sendmsg_locked@k"
#define PUSH                                                                                                  \
	SEND ";tcp_push@k;__tcp_push_pending_frames@k;tcp_write_xmit@k;__tcp_transmit_skb@k;ip_queue_xmit@k;" \
	     "ip_finish_output2@k;__dev_queue_xmit@k"
	{ 620, LEAT_STACK_COMPLETE, OUTPUT PUSH ";loopback_xmit@k;netif_rx@k" },
	{ 410, LEAT_STACK_COMPLETE,
	  OUTPUT PUSH ";dev_hard_start_xmit@k;start_xmit@m;virtqueue_add_outbuf@m" },
	{ 530, LEAT_STACK_COMPLETE,
	  OUTPUT PUSH
	  ";net_rx_action@k;process_backlog@k;ip_local_deliver_finish@k;"
	  "tcp_v4_rcv@k;tcp_v4_do_rcv@k;tcp_rcv_established@k;sock_def_readable@k;__wake_up_common@k" },
	{ 380, LEAT_STACK_COMPLETE, OUTPUT SEND ";_copy_from_iter@k;copyin@k" },
	{ 260, LEAT_STACK_COMPLETE,
	  OUTPUT SEND ";sk_stream_alloc_skb@k;__alloc_skb@k;kmem_cache_alloc_node@k" },
	{ 190, LEAT_STACK_COMPLETE, OUTPUT SEND ";tcp_send_mss@k" },
	{ 340, LEAT_STACK_COMPLETE,
	  CONTENT ";ngx_open_cached_file@n;open64@c" SYS ";__x64_sys_openat@k;do_filp_open@k;"
		  "path_openat@k;link_path_walk@k" },
	{ 150, LEAT_STACK_COMPLETE,
	  CONTENT ";ngx_open_cached_file@n;fstat64@c" SYS ";__do_sys_newfstat@k;vfs_fstat@k" },
	{ 470, LEAT_STACK_COMPLETE,
	  CONTENT ";ngx_http_gzip_filter@n;deflate@z;deflate_slow@z;longest_match@z" },
	{ 240, LEAT_STACK_COMPLETE,
	  CONTENT ";ngx_http_gzip_filter@n;deflate@z;deflate_slow@z;fill_window@z;crc32_z@z" },
	{ 180, LEAT_STACK_COMPLETE,
	  CONTENT
	  ";ngx_http_send_header@n;ngx_http_header_filter@n;ngx_sprintf@n;ngx_vslprintf@n" },
	{ 330, LEAT_STACK_COMPLETE,
	  HTTP
	  ";ngx_http_rewrite_handler@n;ngx_http_regex_exec@n;pcre2_match_8@n;match@n;match@n;match@n" },
	{ 210, LEAT_STACK_COMPLETE,
	  HTTP
	  ";ngx_http_core_find_location@n;ngx_http_core_find_static_location@n;ngx_filename_cmp@i" },
	{ 450, LEAT_STACK_COMPLETE,
	  EPOLL
	  ";ngx_http_wait_request_handler@n;ngx_unix_recv@n;recv@c" SYS ";__x64_sys_recvfrom@k;"
	  "sock_recvmsg@k;inet_recvmsg@k;tcp_recvmsg@k;tcp_recvmsg_locked@k;skb_copy_datagram_iter@k" },
	{ 290, LEAT_STACK_COMPLETE,
	  EPOLL ";ngx_http_wait_request_handler@n;ngx_http_process_request_line@n;"
		"ngx_http_parse_request_line@n" },
	{ 230, LEAT_STACK_COMPLETE,
	  EPOLL ";ngx_http_wait_request_handler@n;ngx_http_process_request_line@n;"
		"ngx_http_process_request_headers@n;ngx_http_parse_header_line@n;ngx_hash_find@i" },
	{ 360, LEAT_STACK_COMPLETE,
	  EPOLL ";ngx_ssl_handshake_handler@n;SSL_do_handshake@s;ossl_statem_accept@s;"
		"tls_construct_server_key_exchange@s;EVP_DigestSign@s;ecdsa_sign@s;bn_mul_mont@s" },
	{ 220, LEAT_STACK_COMPLETE,
	  EPOLL ";ngx_ssl_recv@n;SSL_read@s;ssl3_read_bytes@s;tls1_enc@s;aesni_gcm_decrypt@s" },
	{ 400, LEAT_STACK_COMPLETE,
	  EPOLL ";epoll_wait@c" SYS ";__x64_sys_epoll_wait@k;do_epoll_wait@k;ep_poll@k;"
		"schedule_hrtimeout_range@k;schedule@k;__schedule@k;finish_task_switch@k" },
	{ 120, LEAT_STACK_COMPLETE,
	  EPOLL ";ngx_event_accept@n;accept4@c" SYS ";__x64_sys_accept4@k;inet_csk_accept@k" },
	{ 90, LEAT_STACK_COMPLETE, MAIN ";ngx_event_expire_timers@n;ngx_rbtree_delete@n" },
	{ 70, LEAT_STACK_COMPLETE, MAIN ";ngx_time_update@n;clock_gettime@v" },
	{ 60, LEAT_STACK_NO_UNWIND, "inflate_fast@z" },
	{ 45, LEAT_STACK_COMPLETE,
	  HTTP ";ngx_http_js_handler@n;njs_vm_call@n;[lua] handler.lua:12@j;[lua] auth.lua:40@j" },
	{ 30, LEAT_STACK_TRUNCATED, "match@n;match@n;match@n;match@n;match@n;match@n" },
	{ 25, LEAT_STACK_COMPLETE,
	  EPOLL ";recv@c" SYS
		";bpf_trampoline_6442@k;bpf_prog_9a1c_sys_enter@b;htab_map_lookup_elem@k" },
};

struct build {
	struct leat_profile *p;
	uint32_t objects[LEAT_ARRAY_SIZE(modules)];
	uint32_t process;
	uint32_t ids[LEAT_MAX_FRAMES];
	size_t depth;
	int err;
};

static uint32_t str(struct build *b, const char *s)
{
	uint32_t id = 0;
	int err = leat_profile_string(b->p, s, strlen(s), &id);

	b->err = b->err ? b->err : err;
	return id;
}

static void add_objects(struct build *b)
{
	for (size_t i = 0; !b->err && i < LEAT_ARRAY_SIZE(modules); i++) {
		const struct module *m = &modules[i];
		struct leat_object o = { .kind = m->object_kind, .path = str(b, m->path) };

		if (m->object_kind == LEAT_OBJECT_FILE) {
			bool program = m->letter == 'n' || m->letter == 'i';

			o.ino = program ? 1000 : 1001 + i;
			o.dev = 1;
			o.build_id_len = 20;
			memset(o.build_id, program ? 0xa0 : (int)(0xa1 + i), 20);
		}
		if (m->object_kind == LEAT_OBJECT_FILE || m->object_kind == LEAT_OBJECT_VDSO) {
			o.map_start = 0x7f0000000000 + (i << 24);
			o.map_end = o.map_start + (1 << 22);
			o.map_pgoff = m->object_kind == LEAT_OBJECT_FILE ? 0x1000 : 0;
		}
		b->err = leat_profile_object(b->p, &o, &b->objects[i]);
	}
}

static void add_process(struct build *b, uint32_t tgid, const char *comm)
{
	struct leat_process proc = { .tgid = tgid, .ns_tgid = tgid, .to_ns = UINT64_MAX };

	proc.comm = str(b, comm);
	proc.exe = str(b, "/usr/sbin/nginx");
	if (!b->err)
		b->err = leat_profile_process(b->p, &proc, &b->process);
}

static void add_meta(struct build *b)
{
	struct leat_meta *m = &b->p->meta;

	m->target = str(b, "nginx (pid 4242)");
	m->event = str(b, "cpu-clock");
	m->event_note = str(b, "no hardware counters here");
	m->command_line = str(b, "leat record -p 4242 -d 10 -o flame.html");
	m->host = str(b, "web-17.example.net");
	m->kernel = str(b, "6.12.9");
	m->os = str(b, "Debian GNU/Linux 12 (bookworm)");
	m->version = str(b, "leat 0.1.0");
	m->unwind = str(b, "fp");
	m->start_real_ns = 1700000000000000000;
	m->start_mono_ns = 5000000000;
	m->duration_ns = 10000000000;
	m->freq_hz = FREQ_HZ;
	m->time_based = true;
}

static int begin(struct build *b)
{
	b->err = leat_profile_new(&b->p);
	if (!b->err) {
		add_meta(b);
		add_objects(b);
		add_process(b, 4242, "nginx");
	}
	return b->err;
}

/* One more frame towards the inside: a function at a place that its name decides. */
static void add_frame(struct build *b, size_t module, const char *name, uint32_t line)
{
	const struct module *m = &modules[module];
	struct leat_function fn = { .object = b->objects[module],
				    .kind = m->function_kind,
				    .line = line };
	uint64_t place = leat_hash_bytes(name, strlen(name)) & 0x3ffff0;
	uint32_t id, fid;

	fn.name = fn.raw = str(b, name);
	fn.file = line ? str(b, "src/http/ngx_http_request.c") : LEAT_ID_NONE;
	fn.start = place =
		(m->object_kind == LEAT_OBJECT_KERNEL ? 0xffffffff81000000 : 0x1000) + place;
	if (!b->err)
		b->err = leat_profile_function(b->p, &fn, &fid);
	if (!b->err)
		b->err = leat_profile_frame(
			b->p, fn.object, place + 5,
			LEAT_FRAME_RETURN * (m->object_kind == LEAT_OBJECT_FILE), &id);
	if (b->err || b->depth >= LEAT_MAX_FRAMES)
		return;
	b->p->frames[id].function = fid;
	b->ids[b->depth++] = id;
}

static size_t module_of(char letter)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(modules); i++) {
		if (modules[i].letter == letter)
			return i;
	}
	return 0;
}

/* Frames of the text, outermost first. */
static void add_frames(struct build *b, const char *text)
{
	b->depth = 0;
	while (*text && !b->err) {
		const char *at = strchr(text, '@');
		char name[128];

		snprintf(name, sizeof(name), "%.*s", (int)(at - text), text);
		add_frame(b, module_of(at[1]),
			  *name == '#' ? hostile[strtoul(name + 1, NULL, 10)] : name,
			  strncmp(name, "ngx_http_p", 10) == 0 ? 100 + (uint32_t)strlen(name) : 0);
		text = at[2] ? at + 3 : at + 2;
	}
}

/* The stack of the frames added so far, and a sample of it. */
static void add_sample(struct build *b, uint8_t result, struct leat_sample s)
{
	struct leat_stack st = { .uresult = result & ~KERNEL_CUT };
	uint32_t ids[LEAT_MAX_FRAMES];
	struct leat_verdict *v = &b->p->verdict;

	for (size_t i = 0; i < b->depth; i++) {
		ids[i] = b->ids[b->depth - 1 - i];
		if (b->p->objects[b->p->frames[ids[i]].object].kind == LEAT_OBJECT_KERNEL)
			st.kframe_cnt++;
		else
			st.uframe_cnt++;
	}
	st.kresult = result & KERNEL_CUT ? LEAT_STACK_TRUNCATED
		     : st.kframe_cnt	 ? LEAT_STACK_COMPLETE
					 : LEAT_STACK_NONE;
	s.process = b->process;
	if (!b->err)
		b->err = leat_profile_stack(b->p, &st, ids, &s.stack);
	if (!b->err)
		b->err = leat_profile_sample(b->p, &s);
	if (b->err)
		return;
	b->p->processes[b->process].samples += s.value;
	v->taken += s.value;
	v->stacks[st.uresult] += s.value;
	v->frames += b->depth * s.value;
	v->user_frames += st.uframe_cnt * s.value;
}

static int end(struct build *b, struct leat_profile **out)
{
	struct leat_verdict *v = &b->p->verdict;

	v->wanted = v->taken;
	v->kernel[LEAT_STAT_SEEN] = v->kernel[LEAT_STAT_COUNTED] = v->taken;
	v->duration_ns = b->p->meta.duration_ns;
	v->freq_hz = FREQ_HZ;
	v->objects = b->p->object_cnt;
	v->self_cpu_ns = 41000000;
	v->bpf_ns = 9000000;
	v->rss_bytes = 14 << 20;
	if (b->err)
		leat_profile_free(&b->p);
	else
		*out = b->p;
	return b->err;
}

int leat_sample_profile_hostile(struct leat_profile **out)
{
	struct build b = { 0 };

	if (begin(&b))
		return b.err;
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(hostile_stacks); i++) {
		const struct stack_text *t = &hostile_stacks[i];

		add_frames(&b, t->frames);
		add_sample(&b, t->result,
			   (struct leat_sample){
				   .thread = LEAT_ID_NONE, .cpu = UINT16_MAX, .value = t->weight });
	}
	add_process(&b, 4343, "wor\nker<b>;");
	add_frames(&b, "_start@n;main@n;hot@n");
	add_sample(&b, LEAT_STACK_COMPLETE,
		   (struct leat_sample){ .thread = LEAT_ID_NONE, .cpu = UINT16_MAX, .value = 8 });
	b.depth = 0;
	add_sample(&b, LEAT_STACK_NONE,
		   (struct leat_sample){ .thread = LEAT_ID_NONE, .cpu = UINT16_MAX, .value = 2 });
	return end(&b, out);
}

int leat_sample_profile_streamed(struct leat_profile **out)
{
	struct build b = { 0 };
	uint32_t threads[2];

	if (begin(&b))
		return b.err;
	b.p->meta.freq_hz = 1000;
	for (uint32_t i = 0; i < 2; i++) {
		int err = leat_profile_thread(b.p, b.process, 4242 + i, &threads[i]);

		b.err = b.err ? b.err : err;
		if (!b.err)
			b.p->threads[threads[i]].comm = str(&b, i ? "worker-1" : "nginx");
	}
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(hostile_stacks) * 2 && !b.err; i++) {
		const struct stack_text *t = &hostile_stacks[i / 2];

		add_frames(&b, t->frames);
		add_sample(&b, t->result,
			   (struct leat_sample){ .thread = threads[i % 2],
						 .cpu = (uint16_t)(i % 3),
						 .value = 1,
						 .ts_ns = 5001000000 +
							  i * (i > 20 ? 2000000 : 500000) });
	}
	return end(&b, out);
}

int leat_sample_profile_server(struct leat_profile **out, uint64_t samples)
{
	struct build b = { 0 };
	uint64_t all = 0;

	if (begin(&b))
		return b.err;
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(server_stacks); i++)
		all += server_stacks[i].weight;
	for (uint64_t i = 0; i < LEAT_ARRAY_SIZE(server_stacks) * 24 && !b.err; i++) {
		const struct stack_text *t = &server_stacks[i % LEAT_ARRAY_SIZE(server_stacks)];
		uint64_t r = leat_hash_u64(i), share = t->weight * samples / all;
		size_t depth;

		add_frames(&b, t->frames);
		depth = b.depth;
		/* Most samples end in the innermost function; some end on the way there. */
		if (i >= LEAT_ARRAY_SIZE(server_stacks)) {
			share = share * (r >> 40 & 15) / 400;
			b.depth = depth - (depth > 8 ? r % (depth / 3) : 0);
		}
		if (share)
			add_sample(&b, t->result,
				   (struct leat_sample){ .thread = LEAT_ID_NONE,
							 .cpu = UINT16_MAX,
							 .value = share });
	}
	b.p->verdict.kernel_skipped = samples / 300;
	b.p->verdict.kernel[LEAT_STAT_L_RING_FULL] = 3;
	return end(&b, out);
}

static const char *const words[] = { "request", "storage", "cache",    "index",
				     "query",	"buffer",  "session",  "codec",
				     "stream",	"planner", "executor", "table",
				     "cursor",	"router",  "metrics",  "lock" };

/* Chains of ten functions, each hung onto a function of an earlier chain. */
int leat_sample_profile_wide(struct leat_profile **out, uint32_t frames)
{
	struct build b = { 0 };
	LEAT_FREE uint32_t *ids = malloc((frames + 1) * sizeof(*ids)),
			   *parents = malloc((frames + 1) * sizeof(*ids));

	if (!ids || !parents)
		return -ENOMEM;
	if (begin(&b))
		return b.err;
	for (uint32_t i = 0; i < frames && !b.err; i++) {
		uint64_t r = leat_hash_u64(i);
		char name[160];

		snprintf(name, sizeof(name),
			 "service::%s::%s_%s<%s_traits, %" PRIu32
			 ">::handle_%s(%s const&, unsigned long)",
			 words[r & 15], words[r >> 4 & 15], words[r >> 8 & 15], words[r >> 12 & 15],
			 i, words[r >> 16 & 15], words[r >> 20 & 15]);
		b.depth = 0;
		add_frame(&b, r >> 24 & 1 ? 0 : (r >> 25) % 4, name, 0);
		ids[i] = b.ids[0];
		parents[i] = i % 10 || !i ? i - 1 : (uint32_t)((r >> 32) % i);
		if (i % 10 != 9 && i + 1 != frames)
			continue;
		b.depth = 0;
		for (uint32_t k = i; k != UINT32_MAX && b.depth < LEAT_MAX_FRAMES; k = parents[k])
			b.ids[b.depth++] = ids[k];
		for (size_t k = 0; k < b.depth / 2; k++) {
			uint32_t swap = b.ids[k];

			b.ids[k] = b.ids[b.depth - 1 - k];
			b.ids[b.depth - 1 - k] = swap;
		}
		add_sample(&b, LEAT_STACK_COMPLETE,
			   (struct leat_sample){ .thread = LEAT_ID_NONE,
						 .cpu = UINT16_MAX,
						 .value = 1 + (r >> 50) % 40 });
	}
	return end(&b, out);
}
