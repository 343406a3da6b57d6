import type { EndpointInterfaces } from './endpoint-interfaces.ts';
import type { ContainerNetwork, NetworkConfiguration } from './network-model.ts';
import type { PublishedPort } from './port-table.ts';

/** What the rules are about, besides published ports. */
export interface RulesetNetwork extends EndpointInterfaces {
  readonly network: ContainerNetwork;
  readonly shielded: NetworkConfiguration['shielded'];
}

/**
 * The endpoint's rules, as the body of an nftables table of family `ip`.
 *
 * - containers reach out through the endpoint's public address, and each other;
 * - from outside only published ports lead to a container, also when a container asks for them (hairpin);
 * - containers do not reach the infrastructure the endpoint itself talks to;
 * - the endpoint offers containers DNS and echo, and nothing else: its API may have no TLS, and its tether port
 *   is for machines.
 */
export function renderRuleset(endpoint: RulesetNetwork, published: readonly PublishedPort[]): string {
  const { publicInterface, bridgeInterface, network, shielded } = endpoint;
  return [
    mapOf('published_tcp', 'tcp', published),
    mapOf('published_udp', 'udp', published),
    chain('prerouting', 'type nat hook prerouting priority dstnat; policy accept;', [
      'fib daddr type local dnat ip to tcp dport map @published_tcp',
      'fib daddr type local dnat ip to udp dport map @published_udp',
    ]),
    chain('output', 'type nat hook output priority -100; policy accept;', [
      'oifname "lo" ip daddr != 127.0.0.0/8 dnat ip to tcp dport map @published_tcp',
      'oifname "lo" ip daddr != 127.0.0.0/8 dnat ip to udp dport map @published_udp',
    ]),
    chain('postrouting', 'type nat hook postrouting priority srcnat; policy accept;', [
      `ip saddr ${network.subnet} oifname "${publicInterface}" masquerade`,
      `ip saddr ${network.subnet} oifname "${bridgeInterface}" ct status dnat masquerade`,
    ]),
    chain('forward', 'type filter hook forward priority filter; policy drop;', [
      'ct state established,related accept',
      ...shielded.map(({ address, port }) => `ip daddr ${address} tcp dport ${port} reject with tcp reset`),
      'ct status dnat accept',
      `iifname "${bridgeInterface}" ip saddr ${network.subnet} accept`,
    ]),
    chain('input', 'type filter hook input priority filter; policy accept;', [
      'ct state established,related accept',
      `iifname "${bridgeInterface}" jump from_containers`,
      `iifname "${publicInterface}" ip daddr ${network.subnet} drop`,
    ]),
    chain('from_containers', undefined, [
      `ip daddr ${network.gateway} udp dport 53 accept`,
      `ip daddr ${network.gateway} tcp dport 53 accept`,
      'icmp type echo-request accept',
      // Refused, not dropped: a client that asks for a port nobody publishes learns so at once.
      'meta l4proto tcp reject with tcp reset',
      'reject',
    ]),
  ].join('\n');
}

function mapOf(name: string, protocol: PublishedPort['protocol'], published: readonly PublishedPort[]): string {
  const elements = published
    .filter((port) => port.protocol === protocol)
    .map((port) => `${port.hostPort} : ${port.address} . ${port.containerPort}`);
  return [
    `map ${name} {`,
    '  type inet_service : ipv4_addr . inet_service',
    ...(elements.length === 0 ? [] : [`  elements = { ${elements.join(', ')} }`]),
    '}',
  ].join('\n');
}

function chain(name: string, hook: string | undefined, rules: readonly string[]): string {
  const lines = hook === undefined ? rules : [hook, ...rules];
  return [`chain ${name} {`, ...lines.map((line) => `  ${line}`), '}'].join('\n');
}
