import type { OptionSpecs } from '@vic/cli';
import { VicError } from '@vic/errors';
import { listVchs } from '@vic/vch';
import type { FoundVch } from '@vic/vch';
import type { VimClient } from '@vic/vim-client';

/** Options that name a VCH that is there. */
export const VCH_OPTIONS = {
  name: {
    kind: 'text',
    short: 'n',
    description: 'Name of the virtual container host',
    defaultText: 'virtual-container-host',
  },
  id: { kind: 'text', description: 'Its id, as ls prints it; wins over --name' },
} as const satisfies OptionSpecs;

/** The VCH with that id or name; otherwise the names there are. */
export async function findVch(
  client: VimClient,
  wanted: { readonly name: string | undefined; readonly id: string | undefined },
  signal: AbortSignal,
): Promise<FoundVch> {
  const all = await listVchs(client, signal);
  const name = wanted.name ?? 'virtual-container-host';
  const found = all.find((vch) => (wanted.id === undefined ? vch.name === name : vch.endpoint.value === wanted.id));
  if (found !== undefined) return found;
  const what = wanted.id === undefined ? `named "${name}"` : `with the id ${wanted.id}`;
  throw new VicError({
    class: 'NotFound',
    code: 'VIC_MACHINE_VCH_NOT_FOUND',
    message: `There is no virtual container host ${what}.`,
    remedy:
      all.length === 0
        ? 'This server has none; make one with vic-machine create.'
        : `Those there are: ${all.map((vch) => `"${vch.name}" (${vch.endpoint.value})`).join(', ')}`,
  });
}
