import { dataTypeMeta } from '@vic/vim';

const SUPPORTED: ReadonlySet<string> = new Set(['multipleCoresPerSocketSupported']);

/** `VirtualMachine.capability`: what machines of this host can do; whatever is not listed they cannot. */
export const VM_CAPABILITY: Readonly<Record<string, boolean>> = Object.fromEntries(
  (dataTypeMeta('VirtualMachineCapability')?.properties ?? [])
    .filter((property) => property.type === 'boolean' && !property.optional)
    .map((property) => [property.name, SUPPORTED.has(property.name)]),
);
