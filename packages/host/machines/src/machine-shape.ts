import { LAYOUT_VERSION } from '@vic/qemu';
import type { MachineSpec } from '@vic/inventory';
import type { MachineContext } from './machine-context.ts';

/**
 * What two machines must have in common for the memory and device state of one to fit the other.
 *
 * The ISO is part of it although a clone does not read it: a clone must be what a boot from its ISO would be.
 */
export function shapeOf(context: MachineContext, spec: MachineSpec, bootDigest: string | undefined): string {
  return JSON.stringify({
    layout: LAYOUT_VERSION,
    qemu: context.qemuVersion,
    acceleration: context.acceleration,
    cpus: spec.cpus,
    memoryMiB: spec.memoryMiB,
    reservedDiskBytes: spec.reservedDiskBytes ?? null,
    boot: bootDigest ?? null,
  });
}

/** The part of a shape that depends on this host only. */
export function fitsThisHost(context: MachineContext, shape: string): boolean {
  try {
    const parsed: unknown = JSON.parse(shape);
    if (typeof parsed !== 'object' || parsed === null) return false;
    const { layout, qemu, acceleration } = parsed as Record<string, unknown>;
    return (
      layout === LAYOUT_VERSION &&
      qemu === context.qemuVersion &&
      JSON.stringify(acceleration) === JSON.stringify(context.acceleration)
    );
  } catch {
    return false;
  }
}
