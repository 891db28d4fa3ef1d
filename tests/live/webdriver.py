# SPDX-License-Identifier: BSD-2-Clause
"""A small W3C WebDriver client for chromedriver, with the standard library alone: real key and
pointer actions in a headless Chromium."""
import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ENTER, ESCAPE, BACKSPACE, TAB = '\ue007', '\ue00c', '\ue003', '\ue004'
LEFT, UP, RIGHT, DOWN = '\ue012', '\ue013', '\ue014', '\ue015'
SHIFT, ALT, CONTROL = '\ue008', '\ue00a', '\ue009'


class Browser:
    def __init__(self, extra=(), size=(1500, 1000)):
        self.profile = tempfile.mkdtemp(prefix='leat-browser-')
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            port = s.getsockname()[1]
        self.driver = subprocess.Popen(['chromedriver', f'--port={port}'],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.base = f'http://127.0.0.1:{port}'
        self.session = ''
        for _ in range(200):
            try:
                self.call('GET', '/status')
                break
            except OSError:
                time.sleep(0.05)
        args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic',
                '--no-first-run', '--disable-background-networking', '--disable-component-update',
                '--disable-sync', f'--user-data-dir={self.profile}',
                '--window-size=%d,%d' % size, *extra]
        caps = {'browserName': 'chrome', 'goog:chromeOptions': {'args': args},
                'goog:loggingPrefs': {'browser': 'ALL', 'performance': 'ALL'},
                'unhandledPromptBehavior': 'ignore'}
        made = self.call('POST', '/session', {'capabilities': {'alwaysMatch': caps}})
        self.session = '/session/' + made['sessionId']

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method,
                                         headers={'Content-Type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as e:
            raise RuntimeError(e.read().decode()[:400]) from None

    def do(self, method, path, body=None):
        return self.call(method, self.session + path, body)

    def close(self):
        try:
            self.do('DELETE', '')
        except (OSError, RuntimeError):
            pass
        self.driver.terminate()
        self.driver.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def open(self, url):
        self.do('POST', '/url', {'url': url})

    def js(self, code, *args):
        return self.do('POST', '/execute/sync', {'script': code, 'args': list(args)})

    def cdp(self, command, **params):
        return self.do('POST', '/goog/cdp/execute', {'cmd': command, 'params': params})

    def keys(self, *keys):
        actions = [{'type': kind, 'value': k} for k in keys for kind in ('keyDown', 'keyUp')]
        self.do('POST', '/actions', {'actions': [{'type': 'key', 'id': 'k', 'actions': actions}]})

    def type(self, text):
        self.keys(*text)

    def mouse(self, x, y, click=True, hold=None):
        press = [{'type': 'pointerDown', 'button': 0}, {'type': 'pointerUp', 'button': 0}]
        moves = [{'type': 'pause'}, {'type': 'pointerMove', 'duration': 0, 'x': int(x), 'y': int(y)}]
        pointer = {'type': 'pointer', 'id': 'm', 'parameters': {'pointerType': 'mouse'},
                   'actions': moves + (press if click else [])}
        sources = [pointer]
        if hold:
            wait = [{'type': 'pause'}] * 3
            sources.append({'type': 'key', 'id': 'k', 'actions': [
                {'type': 'keyDown', 'value': hold}, *wait, {'type': 'keyUp', 'value': hold}]})
        self.do('POST', '/actions', {'actions': sources})

    def screenshot(self, path):
        with open(path, 'wb') as f:
            f.write(base64.b64decode(self.do('GET', '/screenshot')))

    def log(self, kind='browser'):
        return self.do('POST', '/se/log', {'type': kind})

    def requests(self):
        """Addresses that pages asked for since the last call."""
        found = []
        for entry in self.log('performance'):
            message = json.loads(entry['message'])['message']
            if message['method'] == 'Network.requestWillBeSent':
                found.append(message['params']['request']['url'])
        return found

    def wait(self, code, seconds=5.0):
        """Until the expression is true; its last value."""
        end = time.monotonic() + seconds
        while True:
            value = self.js('return ' + code)
            if value or time.monotonic() > end:
                return value
            time.sleep(0.03)
