import { hkdfSync } from 'node:crypto';
import type { ContainerId } from '@vic/ids';

/** Binds derived keys to their purpose, so that the VCH key can serve others too. */
const PURPOSE = 'vic container interaction 1';

/**
 * The secret a container VM proves its identity with.
 *
 * Derived, so that an endpoint that starts again knows it although the infrastructure never gives it back.
 */
export function containerSecret(vchKey: string, id: ContainerId | string): string {
  return Buffer.from(hkdfSync('sha256', Buffer.from(vchKey, 'utf8'), Buffer.from(id, 'utf8'), PURPOSE, 32)).toString(
    'hex',
  );
}
