import { expect, test } from 'vitest';
import { proxyFor } from './index.ts';

const settings = {
  httpProxy: 'proxy:3128',
  httpsProxy: 'http://secure:3129',
  noProxy: 'a.com, .b.com,10.0.0.0/8,c.com:8080, 192.168.1.1',
};

test.each([
  ['http://x.com/', 'http://proxy:3128/'],
  ['https://x.com/', 'http://secure:3129/'],
  ['http://a.com/', undefined],
  ['http://sub.a.com/', undefined],
  ['http://nota.com/', 'http://proxy:3128/'],
  ['http://b.com/', undefined],
  ['http://10.1.2.3/', undefined],
  ['http://11.1.2.3/', 'http://proxy:3128/'],
  ['http://192.168.1.1/', undefined],
  ['http://c.com:8080/', undefined],
  ['http://c.com/', 'http://proxy:3128/'],
  ['http://localhost:1/', undefined],
  ['http://127.0.0.1/', undefined],
  ['http://[::1]/', undefined],
])('%s goes through %s', (url, proxy) => {
  expect(proxyFor(new URL(url), settings)?.href).toBe(proxy);
});

test('no settings mean no proxy, a star means none at all, and nonsense is refused', () => {
  expect(proxyFor(new URL('http://x.com'), undefined)).toBeUndefined();
  expect(proxyFor(new URL('http://x.com'), { ...settings, noProxy: '*' })).toBeUndefined();
  expect(() => proxyFor(new URL('http://x.com'), { httpProxy: 'socks5://x' })).toThrow('not an http:// URL');
});
