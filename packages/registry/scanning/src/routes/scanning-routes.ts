import type { RestRoutes } from '@vic/rest';
import type { Scanning } from '../scanning.ts';
import { advisoryRoutes } from './advisory-routes.ts';
import { exportRoutes } from './export-routes.ts';
import { scanAllRoutes } from './scan-all-routes.ts';
import { scanRoutes } from './scan-routes.ts';
import { scannerRoutes } from './scanner-routes.ts';
import { securityRoutes } from './security-routes.ts';

/** Every route of scanning. */
export function scanningRoutes(scanning: Scanning): RestRoutes {
  const all = [scannerRoutes, scanRoutes, scanAllRoutes, securityRoutes, exportRoutes, advisoryRoutes];
  return (app) => {
    for (const routes of all) routes(scanning)(app);
  };
}
