/** How the CPU of machines is executed: QEMU's `-accel` and `-cpu`. */
export interface Acceleration {
  readonly accel: string;
  readonly cpu: string;
}

/** Where a character device of a machine leads. */
export type CharacterDevice =
  | { readonly kind: 'none' }
  | { readonly kind: 'connect'; readonly host: string; readonly port: number }
  | { readonly kind: 'append'; readonly path: string }
  /** Reads `<path>.in`, writes `<path>.out`. */
  | { readonly kind: 'pipe'; readonly path: string };

/** The memory of a machine. */
export type MachineMemory =
  | { readonly kind: 'anonymous' }
  /** Changes go to the file (`shared`) or stay with the machine. */
  | { readonly kind: 'file'; readonly path: string; readonly shared: boolean };

/** What is booted. */
export interface KernelBoot {
  readonly kernel: string;
  readonly initramfs: string | undefined;
  readonly commandLine: string;
}

/** Everything that makes a machine's command line. */
export interface MachineCommandLine {
  /** Shown in process lists. */
  readonly name: string;
  readonly uuid: string;
  readonly acceleration: Acceleration;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly memory: MachineMemory;
  readonly boot: KernelBoot | undefined;
  readonly qmpSocket: string;
  readonly ports: {
    readonly tether: CharacterDevice;
    readonly log: CharacterDevice;
    readonly guestinfoIn: CharacterDevice;
    readonly guestinfoOut: CharacterDevice;
  };
  /** The network card that is always there. */
  readonly nic: { readonly mac: string; readonly tap: string };
  /** Takes the device state of another machine instead of booting. */
  readonly incoming: boolean;
}

/** Name of the chardev with the last output of the serial console. */
export const CONSOLE_DEVICE = 'console';
/** How much console output is kept, in QEMU's memory; a guest cannot make it grow. */
export const CONSOLE_BYTES = 65_536;
/** Id of the SCSI controller's bus disks are plugged into. */
export const SCSI_BUS = 'scsi0.0';
/** Id of the network card that is always there. */
export const PRIMARY_NIC = 'nic0';
/** Changed with the device layout: device state from another layout cannot be restored. */
export const LAYOUT_VERSION = 3;

/**
 * QEMU's arguments for a machine.
 *
 * Every device has a fixed PCI address, so that the state of one machine fits another of the same shape.
 */
export function machineArguments(machine: MachineCommandLine): readonly string[] {
  const { acceleration } = machine;
  return [
    ...['-name', escapeValue(machine.name), '-uuid', machine.uuid],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-M', 'pc,memory-backend=ram,vmport=off,hpet=off,usb=off,dump-guest-core=off'],
    ...['-accel', acceleration.accel, '-cpu', acceleration.cpu],
    ...['-smp', String(machine.cpus), '-m', `${machine.memoryMiB}M`, '-object', memoryObject(machine)],
    ...['-chardev', `ringbuf,id=${CONSOLE_DEVICE},size=${CONSOLE_BYTES}`, '-serial', `chardev:${CONSOLE_DEVICE}`],
    ...['-qmp', `unix:${escapeValue(machine.qmpSocket)},server=on,wait=off`],
    ...['-device', 'virtio-serial-pci,id=serial0,bus=pci.0,addr=0x3'],
    ...port(1, 'tether', 'vic.tether.0', machine.ports.tether),
    ...port(2, 'log', 'vic.log.0', machine.ports.log),
    ...port(3, 'guestinfo-in', 'vic.guestinfo.in', machine.ports.guestinfoIn),
    ...port(4, 'guestinfo-out', 'vic.guestinfo.out', machine.ports.guestinfoOut),
    ...['-device', 'virtio-scsi-pci,id=scsi0,bus=pci.0,addr=0x4'],
    ...['-netdev', `tap,id=net0,ifname=${escapeValue(machine.nic.tap)},script=no,downscript=no,vnet_hdr=on`],
    // A clone has no address yet that it could announce.
    ...[
      '-device',
      `virtio-net-pci,id=${PRIMARY_NIC},netdev=net0,romfile=,bus=pci.0,addr=0x5,mac=${machine.nic.mac},guest_announce=off`,
    ],
    ...bootArguments(machine.boot),
    // Either way the machine waits: its disks are plugged in before it runs.
    ...(machine.incoming ? ['-incoming', 'defer'] : ['-S']),
  ];
}

function memoryObject(machine: MachineCommandLine): string {
  const size = `id=ram,size=${machine.memoryMiB}M`;
  if (machine.memory.kind === 'anonymous') return `memory-backend-ram,${size}`;
  const share = machine.memory.shared ? 'on' : 'off';
  return `memory-backend-file,${size},mem-path=${escapeValue(machine.memory.path)},share=${share}`;
}

function port(number: number, id: string, name: string, device: CharacterDevice): readonly string[] {
  const plug = `virtserialport,bus=serial0.0,nr=${number},id=port-${id},chardev=${id},name=${name}`;
  return ['-chardev', chardev(id, device), '-device', plug];
}

function chardev(id: string, device: CharacterDevice): string {
  switch (device.kind) {
    case 'none':
      return `null,id=${id}`;
    case 'connect':
      return `socket,id=${id},host=${escapeValue(device.host)},port=${device.port},reconnect=1`;
    case 'append':
      return `file,id=${id},path=${escapeValue(device.path)},append=on`;
    case 'pipe':
      return `pipe,id=${id},path=${escapeValue(device.path)}`;
  }
}

function bootArguments(boot: KernelBoot | undefined): readonly string[] {
  if (boot === undefined) return [];
  const initramfs = boot.initramfs === undefined ? [] : ['-initrd', boot.initramfs];
  return ['-kernel', boot.kernel, ...initramfs, '-append', boot.commandLine];
}

/** QEMU splits option values at commas; a doubled one stands for itself. */
function escapeValue(value: string): string {
  return value.replaceAll(',', ',,');
}
