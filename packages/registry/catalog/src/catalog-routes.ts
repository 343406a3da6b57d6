import type { RestRoutes } from '@vic/rest';
import { additionRoutes } from './addition-routes.ts';
import { artifactLabelRoutes } from './artifact-label-routes.ts';
import { artifactRoutes } from './artifact-routes.ts';
import type { CatalogDeps } from './catalog-services.ts';
import { labelRoutes } from './label-routes.ts';
import { repositoryRoutes } from './repository-routes.ts';
import { searchRoutes } from './search-routes.ts';
import { statisticRoutes } from './statistic-routes.ts';
import { tagRoutes } from './tag-routes.ts';

/** Everything the REST API tells about what was pushed. */
export function catalogRoutes(deps: CatalogDeps): RestRoutes {
  const parts = [
    repositoryRoutes(deps),
    artifactRoutes(deps),
    tagRoutes(deps),
    artifactLabelRoutes(deps),
    additionRoutes(deps),
    labelRoutes(deps),
    searchRoutes(deps),
    statisticRoutes(deps),
  ];
  return (app) => {
    for (const register of parts) register(app);
  };
}
