/* SPDX-License-Identifier: BSD-2-Clause */
/* --- what a box says --- */
/* self and total of every function within box z of the tree, recursion counted once. */
function count(t, z = 0) {
	const self = new Float64Array(F.n), total = new Float64Array(F.n);
	const lo = t.x[z], hi = lo + t.w[z];
	for (let i = Math.max(z, 1); i < t.n; i++)
		if (t.x[i] >= lo && t.x[i] < hi && t.dep[i] >= t.dep[z]) {
			self[t.fn[i]] += t.self[i];
			if (i === z || outer(t, i, Math.max(0, z - 1)))
				total[t.fn[i]] += t.w[i];
		}
	return { self, total };
}

function facts(p, i) {
	const { t } = p, f = t.fn[i], z = S[p.zoom], all = ALL.w[0], up = t.par[i];
	const src = F.src.get(f);
	totals = totals || count(base);
	const out = [`${samples(t.w[i])} \u00b7 ${pct(t.w[i], all)} of all`];
	if (t.w[z] !== all)
		out.push(`${pct(Math.min(t.w[i], t.w[z]), t.w[z])} of view`);
	if (up > 0)
		out.push(`${pct(t.w[i], t.w[up])} of parent`);
	if (!S.r)
		out.push(`self ${num(t.self[i])} (${pct(t.self[i], all)})`);
	if (t.w[i] < 20)
		out.push('few samples');
	const every = `everywhere: self ${pct(totals.self[f], all)}, ` +
		`total ${pct(totals.total[f], all)}`;
	const where = [path(f), src && `${D.files[src[0]]}:${src[1]}`];
	return {
		name: F.name[f],
		where: where.filter(Boolean).join(' \u00b7 '),
		facts: out.join(' \u00b7 '),
		every: F.kind[f] !== 6 ? every : '',
	};
}

function describe(into, brief) {
	const q = facts(cur.p, cur.i);
	const both = [q.facts, q.every].filter(Boolean);
	const lines = brief ? [both.join(' \u00b7 ')] : both;
	const where = el('span', { className: 'mod' }, q.where && '  ' + q.where);
	into.replaceChildren(el('p', { className: 'name' }, q.name, where),
		...lines.map(l => el('p', {}, l)));
	return q;
}

function point(to, e) {
	cur = to;
	tip.hidden = !to || !e;
	if (to) {
		describe($('status'), true);
		if (e) {
			describe(tip);
			const w = tip.offsetWidth, h = tip.offsetHeight, y = e.clientY + 18;
			const left = Math.min(e.clientX + 12, innerWidth - w - 8);
			tip.style.left = Math.max(4, left) + 'px';
			tip.style.top = (y + h > innerHeight ? Math.max(4, y - h - 30) : y) + 'px';
		} else {
			const q = facts(to.p, to.i);
			say(`${q.name}, ${q.facts}`);
		}
	} else {
		idle();
	}
	draw();
}

function idle() {
	const z = S[main().zoom];
	cur = { p: main(), i: z };
	describe($('status'), true);
	cur = null;
}

/* Chooses a box by key: zooms so that it can be seen, scrolls to it, says what it is. */
function pick(p, i, prefix = '') {
	const { t } = p, mid = t.x[i] + t.w[i] / 2;
	byKey = true;
	if (mid < p.a || mid > p.b || t.w[i] * W / (p.b - p.a) < 4) {
		let to = t.par[i] < 0 ? i : t.par[i];
		while (to > 0 && t.w[i] * W / t.w[to] < 4)
			to = i;
		zoom(p, to);
	}
	reveal(p, i, 0);
	point({ p, i });
	if (prefix)
		say(prefix + F.name[t.fn[i]]);
}

/* --- everything around the picture --- */
function show() {
	const flip = { i: S.i, r: S.r, t: S.t, l: !$('legend').hidden };
	for (const k in flip)
		$('b-' + k).setAttribute('aria-pressed', !!flip[k]);
	$('b-c').firstChild.data = 'Colour: ' + COLOURS[S.c];
	box.hidden = !!S.t;
	$('list').hidden = !S.t;
	$('status').hidden = !!S.t;
	graph.ariaLabel = `Flame graph of ${num(ALL.w[0])} samples. ` +
		'Arrow keys move, Enter zooms, T shows a table';
	showPath();
	showFound();
	if (S.t)
		showTable();
	else if (!cur)
		idle();
	showLegend();
	save();
}

function showPath() {
	const p = main(), { t } = p, way = [];
	for (let i = S[p.zoom]; i >= 0; i = t.par[i])
		way.unshift(i);
	const parts = way.length > 9 ? [...way.slice(0, 3), -1, ...way.slice(-5)] : way, out = [];
	for (const i of parts) {
		const name = i < 0 ? '\u2026' : F.name[t.fn[i]];
		if (out.length)
			out.push(el('span', {}, '\u203a'));
		out.push(i < 0 ? el('span', {}, name) :
			el('button', { title: name, onclick: () => zoom(p, i) }, name));
	}
	const pill = (text, what) => out.push(el('button',
		{ className: 'pill', onclick: () => change(what) }, text + ' \u2715'));
	if (S.f >= 0)
		pill('only ' + F.name[S.f], { f: -1, z: 0, y: 0 });
	if (S.r)
		pill('callers', { r: 0, z: 0 });
	for (const f of hidden())
		pill('without ' + F.name[f],
			{ h: hidden().filter(v => v !== f).join(), z: 0, y: 0 });
	const cut = Math.max(...panes.map(q => q.t.cut || 0));
	if (cut)
		out.push(el('span', { className: 'note' },
			`cut at level ${cut}: ${num(CAP)} boxes`));
	$('path').replaceChildren(...out);
}

function showLegend() {
	const pal = palette(), item = (c, text) => {
		const i = el('i');
		i.style.background = c;
		return el('span', {}, i, text);
	};
	const present = new Set(F.kind), out = [];
	if (S.c === 0)
		KINDS.forEach((k, n) => present.has(n) && out.push(item(pal.kinds[n][0], k)));
	else if (S.c === 1)
		TOP.slice(0, pal.mixed.length).forEach((m, n) =>
			out.push(item(pal.mixed[n], D.modules[m].split('/').pop())));
	out.push(item(pal.match[0], 'matches the search'), item(pal.around[0], 'around the zoom'),
		item(pal.thin, 'too narrow to draw'));
	$('legend').replaceChildren(...out);
}

const COLUMNS = { self: 'Self', total: 'Total', name: 'Function', mod: 'Module' };

function header(key, n) {
	const on = order.key === key, right = n < 2, arrow = order.up ? ' \u25b4' : ' \u25be';
	const sort = () => {
		order = { key, up: on ? !order.up : !right };
		showTable();
		$('list').querySelectorAll('th button')[n].focus();
	};
	const th = el('th', { scope: 'col', className: right ? 'num' : '' },
		el('button', { textContent: COLUMNS[key] + (on ? arrow : ''), onclick: sort }));
	th.ariaSort = on ? order.up ? 'ascending' : 'descending' : 'none';
	return th;
}

function showTable() {
	const z = S.f < 0 && !S.r ? S.z : 0, { self, total } = count(base, z), list = [];
	const all = base.w[z];
	for (let f = 0; f < F.n; f++)
		if (total[f] && F.kind[f] !== 6 && (!hits || hits[f]))
			list.push(f);
	const values = { self: f => self[f], total: f => total[f], name: f => F.name[f], mod };
	const value = values[order.key];
	const sign = order.up ? 1 : -1, cmp = (a, b) => a < b ? -1 : a > b ? 1 : 0;
	list.sort((a, b) => sign * cmp(value(a), value(b)) || total[b] - total[a] || a - b);
	const cell = v => {
		const td = el('td', { className: 'num', title: samples(v) }, num(v) + ' ',
			el('span', {}, pct(v, all)));
		td.style.setProperty('--p', v / all);
		return td;
	};
	const body = list.slice(0, rows).map(f => el('tr', {}, cell(self[f]), cell(total[f]),
		el('td', {}, el('button', { onclick: () => focus(f) }, F.name[f])),
		el('td', { className: 'mod', textContent: mod(f), title: path(f) })));
	const caption = `${num(list.length)} functions${hits ? ' that match' : ''} in ` +
		`${F.name[base.fn[z]]}: ${samples(all)}. ` +
		'Self: samples that end in it; total: samples with it.';
	const table = el('table', {}, el('caption', {}, caption),
		el('thead', {}, el('tr', {}, ...Object.keys(COLUMNS).map(header))),
		el('tbody', {}, ...body));
	const more = () => {
		rows += 5 * ROWS;
		showTable();
	};
	const left = list.length - rows;
	$('list').replaceChildren(table,
		...(left > 0 ? [el('button', { onclick: more }, `Show more (${num(left)})`)] : []));
}

/* --- commands --- */
function focus(f) {
	if (f > 0 && F.kind[f] !== 6)
		change({ f, r: 0, z: 0, y: 0, t: 0 })
			.then(() => say(`Callers and callees of ${F.name[f]}`));
}

function hide(f) {
	if (f !== ALL.fn[0])
		change({ h: [...new Set([...hidden(), f])].join(), z: 0, y: 0 })
			.then(() => say(`Without ${F.name[f]}`));
}

const copy = text => navigator.clipboard?.writeText(text)
	.then(() => say('Copied'), () => say('Not allowed'));

function stack({ p, i }) {
	const names = [];
	for (; i > 0; i = p.t.par[i])
		names.unshift(F.name[p.t.fn[i]]);
	return names.join(';');
}

function move(key) {
	const p = cur ? cur.p : main(), { t } = p, i = cur ? cur.i : S[p.zoom], d = t.dep[i];
	const out = p.up ? 'ArrowDown' : 'ArrowUp', into = p.up ? 'ArrowUp' : 'ArrowDown';
	let to = i;
	if (key === out) {
		if (panes[1] && d <= (p.skip || 0))
			return p.skip ? pick(panes[0], 0)
				: pick(panes[1], Math.min(1, panes[1].t.n - 1));
		to = t.par[i];
	} else if (key === into && d + 2 < t.off.length) {
		to = -1;
		for (let k = seek(t, d + 1, t.x[i]); k < t.off[d + 2] && t.par[k] === i; k++)
			if (to < 0 || t.w[k] > t.w[to])
				to = k;
	} else if (key === 'ArrowLeft' && i > t.off[d] && t.x[i] > p.a) {
		to = i - 1;
	} else if (key === 'ArrowRight' && i + 1 < t.off[d + 1] && t.x[i + 1] < p.b) {
		to = i + 1;
	}
	if (to >= 0)
		pick(p, to);
}

const at = () => cur || { p: main(), i: S[main().zoom] };
const toggle = {
	i: () => { S.i ^= 1; rebuild(); },
	r: () => change({ r: S.r ^ 1, f: -1, z: 0, y: 0 })
		.then(() => say(S.r ? 'Callers' : 'Callees')),
	t: () => {
		S.t ^= 1;
		show();
		size();
		(S.t ? $('list') : graph).focus();
		say(S.t ? 'Table' : 'Graph');
	},
	l: () => { $('legend').hidden = !$('legend').hidden; show(); size(); },
	c: () => { S.c = (S.c + 1) % COLOURS.length; show(); draw(); },
	d: () => {
		page.dataset.theme = dark() ? 'light' : 'dark';
		try {
			localStorage.setItem('leat-theme', page.dataset.theme);
		} catch { /* a file may have no storage */ }
		showLegend();
		draw();
	},
	h: () => $('help').showModal(),
};
const here = f => () => f(at().p.t.fn[at().i]);
const KEYS = {
	...toggle, '?': toggle.h, '/': () => $('q').select(), n: () => jump(1), N: () => jump(-1),
	0: reset, Escape: reset, Backspace: undo, u: undo, f: here(focus), x: here(hide),
	y: here(f => copy(F.name[f])), Y: () => copy(stack(at())),
};
delete KEYS.h;

document.addEventListener('keydown', e => {
	const inside = e.target.closest('input, dialog');
	if ((e.ctrlKey || e.metaKey) && e.key === 'f' && !S.t) {
		e.preventDefault();
		return $('q').select();
	}
	if (e.ctrlKey || e.metaKey || e.altKey)
		return;
	if (e.target === $('q') && (e.key === 'Enter' || e.key === 'Escape')) {
		e.preventDefault();
		if (e.key === 'Enter')
			return jump(e.shiftKey ? -1 : 1);
		$('q').value = '';
		typed();
		return (S.t ? $('list') : graph).focus();
	}
	if (inside)
		return;
	const key = /^[A-Z]$/.test(e.key) && !'NY'.includes(e.key) ? e.key.toLowerCase() : e.key;
	if (Object.hasOwn(KEYS, key)) {
		e.preventDefault();
		return KEYS[key]();
	}
	if (!S.t && e.target === graph && e.key === 'Enter')
		return zoom(at().p, at().i);
	if (!S.t && key.startsWith('Arrow') && !e.target.closest('button, summary')) {
		e.preventDefault();
		move(key);
	}
});

graph.addEventListener('mousemove', e => {
	const to = hitAt(e);
	byKey = false;
	graph.style.cursor = to ? 'pointer' : 'default';
	point(to, e);
});
graph.addEventListener('mouseleave', () => byKey || point(null));
graph.addEventListener('click', e => {
	const to = hitAt(e);
	if (!to)
		return;
	const f = to.p.t.fn[to.i];
	tip.hidden = true;
	if (e.altKey && to.i)
		hide(f);
	else if (!e.altKey)
		zoom(to.p, to.i);
});
box.addEventListener('scroll', () => {
	pinned = box.scrollTop + box.clientHeight > box.scrollHeight - 2;
	tip.hidden = true;
	draw();
});
$('q').addEventListener('input', typed);
$('next').onclick = () => jump(1);
$('prev').onclick = () => jump(-1);
for (const k in toggle)
	$('b-' + k).onclick = toggle[k];
new ResizeObserver(() => panes.length && !S.t && size()).observe(box);
night.addEventListener('change', () => { showLegend(); draw(); });
addEventListener('hashchange', load);
for (const when of ['beforeprint', 'afterprint'])
	addEventListener(when, () => {
		paper = when === 'beforeprint';
		$('about').open ||= paper;
		size(paper);
	});

const HELP = [
	['click, Enter', 'zoom into a box'],
	['Backspace, u', 'back'],
	['Esc, 0', 'whole profile again'],
	['arrows', 'move from box to box'],
	['/', 'search; n, N: next, previous'],
	['f', 'callers and callees'],
	['Alt-click, x', 'hide its stacks'],
	['i', 'root at the bottom or on top'],
	['r', 'from where samples end to callers'],
	['t', 'table of functions'],
	['c, l, d', 'colours, legend, light or dark'],
	['y, Y', 'copy the name, the stack'],
];
$('help').append(el('h2', { id: 'help-h', textContent: 'Keys' }),
	el('dl', {}, ...HELP.flatMap(([k, v]) => [el('dt', {}, k), el('dd', {}, v)])),
	el('form', { method: 'dialog' }, el('button', {}, 'Close')));

try {
	const theme = localStorage.getItem('leat-theme');
	if (theme === 'dark' || theme === 'light')
		page.dataset.theme = theme;
} catch { /* a file may have no storage */ }
for (const id of ['bar', 'path', 'box', 'status'])
	$(id).hidden = false;
load().then(() => requestAnimationFrame(() => performance.mark('leat-drawn')));
