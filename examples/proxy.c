/* SPDX-License-Identifier: BSD-2-Clause */
/* A proxy event: what travels inside the records of another event, as an event of its own. */
#include <leat/data_ref.h>

#include <string.h>

#include "example.h"

#define CARRIER 1
#define PAYLOAD 2
#define HEADER	4 /* bytes before the payload */

static struct leat_event *payload;

static int unpack(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	(void)ev;
	return leat_event_forward(ctx, payload, r, HEADER, r->size);
}

static int see(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	CHECK(leat_event_flags(ev) & LEAT_EVENT_PROXY);
	CHECK(r->size == 5 && memcmp(r->data, "hello", 5) == 0);
	++*(int *)ctx;
	return 0;
}

static struct leat_event *add(struct leat_bus *bus, uint16_t id, const char *name)
{
	struct leat_format *format = NULL;
	struct leat_event *ev = NULL;

	CHECK(leat_format_new(&format, name) == 0);
	CHECK(leat_bus_add_event(bus, id, name, format, &ev) == 0);
	return ev;
}

int main(void)
{
	struct leat_record r = { .data = "\x01\x02\x03\x04hello", .size = 9, .kind = CARRIER };
	struct leat_bus *bus = NULL;
	struct leat_event *carrier;
	struct leat_slice header;
	int seen = 0;

	CHECK(leat_bus_new(&bus) == 0);
	carrier = add(bus, CARRIER, "demo/carrier");
	payload = add(bus, PAYLOAD, "demo/payload");
	leat_event_set_flags(payload, LEAT_EVENT_PROXY);
	CHECK(leat_event_add_callback(carrier, unpack, bus, NULL) == 0);
	CHECK(leat_event_add_callback(payload, see, &seen, NULL) == 0);

	/* A source says where the header of its record is; whoever holds the reference sees it. */
	leat_data_ref_move(leat_bus_header(bus), 0, HEADER);
	leat_bus_dispatch(bus, &r);
	header = leat_data_ref_read(leat_bus_header(bus), &r);
	CHECK(header.len == HEADER && seen == 1 && leat_bus_error_cnt(bus) == 0);
	printf("%d payload of a record with a header of %d bytes\n", seen, (int)header.len);
	leat_bus_free(&bus);
	return 0;
}
