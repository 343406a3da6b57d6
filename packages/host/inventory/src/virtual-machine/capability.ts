const SUPPORTED = ['multipleCoresPerSocketSupported'];
const UNSUPPORTED = [
  'snapshotOperationsSupported', 'multipleSnapshotsSupported', 'snapshotConfigSupported', 'poweredOffSnapshotsSupported',
  'memorySnapshotsSupported', 'revertToSnapshotSupported', 'quiescedSnapshotsSupported', 'disableSnapshotsSupported',
  'lockSnapshotsSupported', 'consolePreferencesSupported', 'cpuFeatureMaskSupported', 's1AcpiManagementSupported',
  'settingScreenResolutionSupported', 'toolsAutoUpdateSupported', 'vmNpivWwnSupported', 'npivWwnOnNonRdmVmSupported',
  'vmNpivWwnDisableSupported', 'vmNpivWwnUpdateSupported', 'swapPlacementSupported', 'toolsSyncTimeSupported',
  'virtualMmuUsageSupported', 'diskSharesSupported', 'bootOptionsSupported', 'bootRetryOptionsSupported',
  'settingVideoRamSizeSupported', 'settingDisplayTopologySupported', 'settingDisplayTopologyModesSupported',
  'recordReplaySupported', 'changeTrackingSupported', 'hostBasedReplicationSupported', 'guestAutoLockSupported',
  'memoryReservationLockSupported', 'featureRequirementSupported', 'poweredOnMonitorTypeChangeSupported',
  'vmfsNativeSnapshotSupported', 'seSparseDiskSupported', 'nestedHVSupported', 'vPMCSupported', 'messageBusSupported',
];

/** `VirtualMachine.capability`: what machines of this host can and cannot do. */
export const VM_CAPABILITY: Readonly<Record<string, boolean>> = Object.fromEntries([
  ...SUPPORTED.map((name) => [name, true] as const),
  ...UNSUPPORTED.map((name) => [name, false] as const),
]);
