export {
  containsAddress,
  formatIpv4,
  formatIpv4Network,
  isInIpv4Range,
  isIpv4,
  lastAddress,
  networksOverlap,
  parseIpv4,
  parseIpv4Interface,
  parseIpv4Network,
} from './ipv4.ts';
export type { Ipv4Interface, Ipv4Network } from './ipv4.ts';
