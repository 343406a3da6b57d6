import { describe, expect, it } from 'vitest';
import { proxySettings, upstreamName } from './proxy-project.ts';
import type { ProxySettings } from './proxy-project.ts';

function settings(metadata: Readonly<Record<string, string>> = {}): ProxySettings {
  const times = { createdAtMs: 0, updatedAtMs: 0 };
  const found = proxySettings({ id: 1, name: 'hub', public: true, ownerId: 1, registryId: 2, metadata, ...times });
  if (found === undefined) throw new Error('no proxy');
  return found;
}

describe('upstreamName()', () => {
  it('drops the project, and finds official images of Docker Hub under library/', () => {
    expect(upstreamName(settings(), 'hub/a/b', false)).toBe('a/b');
    expect(upstreamName(settings(), 'hub/nginx', false)).toBe('nginx');
    expect(upstreamName(settings(), 'hub/nginx', true)).toBe('library/nginx');
    expect(upstreamName(settings(), 'hub/grafana/grafana', true)).toBe('grafana/grafana');
  });

  it('refuses what a pattern or expression keeps out', () => {
    const globbed = settings({ proxy_cache_filter_pattern: '{library,team}/**' });
    expect(upstreamName(globbed, 'hub/team/x/y', false)).toBe('team/x/y');
    expect(() => upstreamName(globbed, 'hub/other/x', false)).toThrow('does not match project repository filter');
    const expression = { proxy_cache_filter_pattern: 'team/[a-c]+', proxy_cache_filter_kind: 'regex' };
    expect(upstreamName(settings(expression), 'hub/team/abc', false)).toBe('team/abc');
    expect(() => upstreamName(settings(expression), 'hub/team/abcd', false)).toThrow('does not match');
  });

  it('is not held up by an expression made to take for ever', () => {
    const endless = { proxy_cache_filter_pattern: '(a+)+b', proxy_cache_filter_kind: 'regex' };
    expect(() => upstreamName(settings(endless), `hub/${'a'.repeat(200)}`, false)).toThrow('does not match');
  });
});
