/* SPDX-License-Identifier: BSD-2-Clause */
/* --- state: all of it fits into the address; z, y are the zoomed boxes of the two panes --- */
const FRESH = { z: 0, y: 0, r: 0, f: -1, h: '', i: 0, t: 0, c: 0, s: '' };
let S = { ...FRESH }, base = ALL, panes = [], totals = null, hits = null, cur = null;
let job = 0, byKey = false, paper = false, pinned = true, W = 0, H = 0, cw = 7.2, rows = ROWS;
let back = [], order = { key: 'self', up: false };

const el = (tag, props = {}, ...kids) => {
	const e = Object.assign(document.createElement(tag), props);
	e.append(...kids);
	return e;
};
const num = v => Math.round(v).toLocaleString('en-US');
const pct = (v, of) => {
	const p = of ? 100 * v / of : 0;
	return p.toFixed(p && p < 1 ? 2 : 1) + '\u00a0%';
};
const time = v => {
	const s = v * D.sampleNs / 1e9;
	if (!D.sampleNs)
		return '';
	return s >= 1 ? ` (${s.toFixed(2)} s)` : ` (${(s * 1e3).toFixed(s < 0.01 ? 1 : 0)} ms)`;
};
const samples = v => `${num(v)} ${v === 1 ? 'sample' : 'samples'}${time(v)}`;
const path = f => D.modules[F.mod[f]] || '', mod = f => path(f).split('/').pop();
const say = text => { $('say').textContent = text; };
const main = () => panes[0];

function save() {
	const u = new URLSearchParams();
	for (const k in FRESH)
		if (S[k] !== FRESH[k])
			u.set(k, S[k]);
	try {
		history.replaceState(null, '', '#' + u);
	} catch {
		location.replace('#' + u);
	}
}

function load() {
	const u = new URLSearchParams(location.hash.slice(1));
	const ok = (v, n) => v >= -1 && v < n ? Math.trunc(v) : -1;
	S = { ...FRESH };
	for (const [k, v] of u)
		if (k in FRESH)
			S[k] = k === 's' || k === 'h' ? v : +v || 0;
	if (u.has('f'))
		S.f = ok(S.f, F.n);
	S.c = COLOURS[S.c] ? S.c : 0;
	S.h = S.h.split(',').filter(v => v && ok(v, F.n) > 0).join();
	$('q').value = S.s;
	return rebuild();
}

const hidden = () => S.h ? S.h.split(',').map(Number) : [];

function push() {
	const { z, y, r, f, h } = S;
	back.push({ z, y, r, f, h });
}

function change(what) {
	push();
	Object.assign(S, what);
	return rebuild();
}

/* Lets a generator run in slices of 12 ms; a later job ends it. */
async function run(gen, me) {
	for (;;) {
		const until = performance.now() + 12;
		while (performance.now() < until) {
			const { done, value } = gen.next();
			if (done)
				return value;
		}
		await new Promise(r => setTimeout(r));
		if (me !== job)
			return null;
		say('Computing callers\u2026');
	}
}

async function rebuild() {
	const me = ++job, gone = hidden();
	const t = gone.length ? without(ALL, new Set(gone)) : ALL;
	let next = [{ t, up: !S.i, zoom: 'z' }];
	if (S.f >= 0) {
		const down = await run(callees(t, S.f), me);
		const up = down && await run(callers(t, S.f), me);
		next = [{ t: down, up: false, zoom: 'z' }, { t: up, up: true, skip: 1, zoom: 'y' }];
	} else if (S.r) {
		next = [{ t: await run(callers(t, -1), me), up: !S.i, zoom: 'z' }];
	}
	if (me !== job || next.some(p => !p.t))
		return;
	totals = t === base ? totals : null;
	base = t;
	panes = next;
	for (const p of panes) {
		S[p.zoom] = S[p.zoom] >= 0 && S[p.zoom] < p.t.n ? Math.trunc(S[p.zoom]) : 0;
		p.levels = p.t.off.length - 1 - (p.skip || 0);
		[p.a, p.b] = span(p);
	}
	cur = null;
	search();
	size();
	const above = panes[1] ? panes[1].levels * ROW - box.clientHeight / 2 : 0;
	box.scrollTop = main().up ? 1e6 : above;
	show();
}

const span = p => {
	const z = S[p.zoom];
	return [p.t.x[z], p.t.x[z] + p.t.w[z]];
};

function zoom(p, i) {
	if (i === S[p.zoom])
		return;
	push();
	S[p.zoom] = i;
	reveal(p, i, 0.5);
	glide();
	say(`${F.name[p.t.fn[i]]}: ${samples(p.t.w[i])}, ${pct(p.t.w[i], p.t.w[0])} of all`);
}

/* Scrolls when the box is out of sight or leaves too little of the view to what it holds. */
function reveal(p, i, share) {
	const y = top(p, p.t.dep[i]) - box.scrollTop, room = p.up ? y : H - ROW - y;
	if (room < H * share || room > H - ROW)
		box.scrollTop += p.up ? y - H * 0.75 : y - H * 0.25;
}

/* Moves the view to the zoomed boxes. */
function glide() {
	const from = panes.map(p => [p.a, p.b]), begin = performance.now();
	const ms = calm.matches ? 0 : 160, me = job;
	const frame = now => {
		const k = ms ? Math.min(1, (now - begin) / ms) : 1, e = 1 - (1 - k) ** 3;
		if (me !== job)
			return;
		panes.forEach((p, n) => {
			const to = span(p);
			p.a = k < 1 ? from[n][0] + (to[0] - from[n][0]) * e : to[0];
			p.b = k < 1 ? from[n][1] + (to[1] - from[n][1]) * e : to[1];
		});
		draw();
		if (k < 1)
			requestAnimationFrame(frame);
	};
	frame(begin);
	show();
}

function undo() {
	const last = back.pop();
	if (!last)
		return;
	const same = ['r', 'f', 'h'].every(k => last[k] === S[k]);
	Object.assign(S, last);
	if (same)
		glide();
	else
		rebuild();
}

function reset() {
	const { z, y, r, f, h } = FRESH;
	change({ z, y, r, f, h });
	say('All');
}

/* --- search --- */
function pattern(q) {
	const plain = q.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), flags = /[A-Z]/.test(q) ? '' : 'i';
	try {
		return new RegExp(`${plain}|(?:${q})`, flags);
	} catch {
		return new RegExp(plain, flags);
	}
}

/* hits: by function. In each pane: running counts, the matches, and their share without nesting. */
function search() {
	const begin = performance.now(), re = S.s && pattern(S.s);
	hits = null;
	if (re) {
		hits = new Uint8Array(F.n);
		for (let i = 0; i < F.n; i++)
			hits[i] = re.test(F.name[i]);
	}
	for (const p of panes) {
		const { t } = p, n = t.n, inside = new Uint8Array(n), upto = new Uint32Array(n + 1);
		p.upto = upto;
		p.matched = 0;
		for (let i = 0; hits && i < n; i++) {
			const hit = i || S.f >= 0 ? hits[t.fn[i]] : 0;
			const around = i && inside[t.par[i]];
			upto[i + 1] = upto[i] + hit;
			inside[i] = hit | around;
			p.matched += hit && !around ? t.w[i] : 0;
		}
		p.found = null;
	}
	performance.measure('leat-search', { start: begin });
}

function matches(p) {
	if (!p.found) {
		p.found = [];
		for (let i = 1; i < p.t.n; i++)
			if (p.upto[i + 1] > p.upto[i])
				p.found.push(i);
		p.found.sort((a, b) => p.t.w[b] - p.t.w[a] || a - b);
	}
	return p.found;
}

/* To the next match, the widest first; zooms out or in where it could not be seen. */
function jump(step) {
	const p = main(), found = hits ? matches(p) : [];
	if (!found.length)
		return;
	p.nth = ((p.nth ?? (step > 0 ? -1 : 0)) + step + found.length) % found.length;
	pick(p, found[p.nth], `match ${p.nth + 1} of ${num(found.length)}: `);
}

function typed() {
	S.s = $('q').value;
	for (const p of panes)
		p.nth = undefined;
	search();
	show();
	draw();
}

function showFound() {
	const p = main(), n = hits ? p.upto[p.t.n] : 0;
	$('found').replaceChildren(...(hits ? [el('b', { textContent: pct(p.matched, p.t.w[0]) }),
		n ? ` in ${num(n)} ${n === 1 ? 'box' : 'boxes'}` : ' no match'] : []));
	if (hits)
		say(`${pct(p.matched, p.t.w[0])} of samples match, ${num(n)} boxes`);
}

/* --- geometry and drawing --- */
/* The first node of a level that ends right of v. */
function seek(t, d, v, lo = t.off[d]) {
	let hi = t.off[d + 1];
	while (lo < hi) {
		const m = (lo + hi) >> 1;
		if (t.x[m] + t.w[m] > v)
			hi = m;
		else
			lo = m + 1;
	}
	return lo;
}

const top = (p, d) => p.at + (p.up ? -(d + 1 - (p.skip || 0)) : d) * ROW;

function size(whole) {
	const above = panes[1] ? panes[1].levels * ROW : 0, rest = main().levels * ROW;
	for (const p of panes)
		p.at = p.up && !above ? rest : above;
	$('space').style.height = above + rest + 'px';
	const r = devicePixelRatio || 1;
	/* A flame graph that stood at its root stays there. */
	if (pinned && main().up)
		box.scrollTop = 1e6;
	W = box.clientWidth;
	H = Math.min(whole ? 1e4 : box.clientHeight, above + rest);
	graph.width = W * r;
	graph.height = H * r;
	graph.style.height = H + 'px';
	g.setTransform(r, 0, 0, r, 0, 0);
	g.font = FONT;
	cw = g.measureText('M').width;
	draw();
}

const hash = s => {
	let h = 0x811c9dc5;
	for (let i = 0; i < s.length; i++)
		h = Math.imul(h ^ s.charCodeAt(i), 0x01000193);
	return (h ^ h >>> 15) >>> 0;
};

function fill(f, pal) {
	const list = S.c && F.kind[f] !== 6 ? pal.mixed : pal.kinds[F.kind[f]];
	return list[(S.c === 1 ? RANK[F.mod[f]] : hash(F.name[f])) % list.length];
}

const dark = () => !paper && (page.dataset.theme || (night.matches ? 'dark' : 'light')) === 'dark';
const palette = () => D.palette[dark() ? 'dark' : 'light'];

function draw() {
	const pal = palette(), shift = box.scrollTop;
	g.clearRect(0, 0, W, H);
	g.textBaseline = 'middle';
	for (const p of panes)
		for (let d = p.skip || 0; d < p.t.off.length - 1; d++) {
			const y = top(p, d) - shift;
			if (y > -ROW && y < H)
				level(p, d, y, pal);
		}
	if (S.f >= 0)
		ring(main(), 0, shift);
	if (cur)
		ring(cur.p, cur.i, shift);
}

/* Where a box begins and ends on the canvas. */
function edges({ t, a, b }, i) {
	const k = W / (b - a);
	return [Math.max(0, (t.x[i] - a) * k), Math.min(W, (t.x[i] + t.w[i] - a) * k)];
}

function level(p, d, y, pal) {
	const { t, a, b } = p, k = W / (b - a), end = t.off[d + 1];
	for (let i = seek(t, d, a); i < end && t.x[i] < b;) {
		const [x0, x1] = edges(p, i);
		if (x1 - x0 >= THIN) {
			cell(p, i, [x0, y, x1 - x0], pal);
			i++;
			continue;
		}
		/* Too narrow for a box: all within this pixel become one line. */
		const to = Math.max(i + 1, seek(t, d, a + (Math.floor(x0) + 1) / k, i));
		g.fillStyle = p.upto[to] > p.upto[i] ? pal.match[0] : pal.thin;
		g.fillRect(Math.floor(x0), y, 1, ROW - 1);
		i = to;
	}
}

function cell(p, i, [x, y, w], pal) {
	const f = p.t.fn[i], z = S[p.zoom], hit = p.upto[i + 1] > p.upto[i];
	const around = p.t.dep[i] < p.t.dep[z];
	g.fillStyle = hit ? pal.match[0] : around ? pal.around[0] : fill(f, pal);
	g.fillRect(x, y, w - (w > 3 ? 1 : 0.3), ROW - 1);
	const room = Math.floor((w - 2 * PAD) / cw);
	if (room < 3)
		return;
	const name = F.name[f];
	g.fillStyle = hit ? pal.match[1] : around ? pal.around[1] : pal.text;
	const shown = name.length > room ? name.slice(0, room - 1) + '\u2026' : name;
	g.fillText(shown, x + PAD, y + ROW / 2, w - 2 * PAD);
}

function ring(p, i, shift) {
	const [x0, x1] = edges(p, i);
	if (x1 < x0)
		return;
	g.strokeStyle = palette().ring;
	g.lineWidth = byKey ? 2.5 : 1.5;
	g.strokeRect(x0 + 1, top(p, p.t.dep[i]) - shift + 0.5, Math.max(1, x1 - x0 - 2), ROW - 2);
}

function hitAt(e) {
	const r = graph.getBoundingClientRect();
	const y = e.clientY - r.top + box.scrollTop, x = e.clientX - r.left;
	for (const p of panes) {
		const row = Math.floor((p.up ? p.at - y : y - p.at) / ROW), d = row + (p.skip || 0);
		if (row < 0 || d >= p.t.off.length - 1)
			continue;
		const v = p.a + x * (p.b - p.a) / W, i = seek(p.t, d, v);
		if (i < p.t.off[d + 1] && p.t.x[i] <= v)
			return { p, i };
	}
	return null;
}
