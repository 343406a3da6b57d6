import { type Database, type ListMapping, type ListPage, type ListRequest, fetchPage } from '@vic/sql';
import { type Robot, robotOfRow } from './robot.ts';

const MAPPING: ListMapping = {
  columns: {
    id: { column: 'robots.id', type: 'number' },
    name: { column: 'robots.name', type: 'text' },
    description: { column: 'robots.description', type: 'text' },
    disable: { column: 'robots.disabled', type: 'flag' },
    expires_at: { column: 'robots.expires_at_ms', type: 'time' },
    creation_time: { column: 'robots.created_at_ms', type: 'time' },
    update_time: { column: 'robots.updated_at_ms', type: 'time' },
  },
  defaultSort: ['id'],
};

/** What lists of robots can be filtered and sorted by, besides where they belong to. */
export const ROBOT_FIELDS = Object.keys(MAPPING.columns);

/** One page of the robots of the system, or of a project. */
export async function listRobots(
  { db }: Database,
  request: ListRequest,
  projectId: number | undefined,
): Promise<ListPage<Robot>> {
  const query = db
    .selectFrom('robots')
    .selectAll()
    .where('robots.level', '=', projectId === undefined ? 'system' : 'project')
    .where('robots.project_id', '=', projectId ?? 0)
    .where('robots.creator_kind', '!=', 'system');
  const page = await fetchPage(db, query, request, MAPPING);
  return { items: page.items.map(robotOfRow), total: page.total };
}
