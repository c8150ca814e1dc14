/** The examples that the Runs API was asked for with: a command to paste, and what its answer shows at least. */
export interface Example {
  title: string
  command: string
  response: Record<string, unknown>
}

export const create: Example = {
  title: 'Create Run',
  command: `curl -X POST \\
-H "Authorization: Bearer sk_admin_xxx" \\
-H "Content-Type: application/json" \\
-d '{
"runId": "RUN-001",
"specId": "AUTH-001",
"content": "# Run Log\\n\\nImplemented features...",
"status": "completed"
}' \\
http://localhost:3000/conduct/v1/runs`,
  response: {
    run: {
      id: 1,
      runId: 'RUN-001',
      specId: 'AUTH-001',
      status: 'completed',
      createdAt: '2025-12-08T...',
      updatedAt: '2025-12-08T...',
    },
  },
}

export const list: Example = {
  title: 'List Runs',
  command: `curl -H "Authorization: Bearer sk_admin_xxx" \\
"http://localhost:3000/conduct/v1/runs?specId=AUTH-001"`,
  response: {
    runs: [
      {
        id: 1,
        runId: 'RUN-001',
        specId: 'AUTH-001',
        status: 'completed',
        createdAt: '2025-12-08T...',
      },
    ],
    meta: {
      hasMore: false,
    },
  },
}

export const get: Example = {
  title: 'Get Run',
  command: `curl -H "Authorization: Bearer sk_admin_xxx" \\
http://localhost:3000/conduct/v1/runs/RUN-001`,
  response: {
    run: {
      id: 1,
      runId: 'RUN-001',
      specId: 'AUTH-001',
      content: '# Run Log\n\nImplementation complete.',
      status: 'completed',
      createdAt: '2025-12-08T...',
      updatedAt: '2025-12-08T...',
    },
  },
}

export const update: Example = {
  title: 'Update Run',
  command: `curl -X PATCH \\
-H "Authorization: Bearer sk_admin_xxx" \\
-H "Content-Type: application/json" \\
-d '{"status": "completed"}' \\
http://localhost:3000/conduct/v1/runs/RUN-001`,
  response: {
    run: {
      id: 1,
      runId: 'RUN-001',
      status: 'completed',
      updatedAt: '2025-12-08T...',
    },
  },
}

export const remove: Example = {
  title: 'Delete Run',
  command: `curl -X DELETE \\
-H "Authorization: Bearer sk_admin_xxx" \\
http://localhost:3000/conduct/v1/runs/RUN-001`,
  response: {
    message: 'Run deleted successfully',
  },
}

export const link: Example = {
  title: 'Link Features',
  command: `curl -X POST \\
-H "Authorization: Bearer sk_admin_xxx" \\
-H "Content-Type: application/json" \\
-d '{"featureIds": [42, 43, 44]}' \\
http://localhost:3000/conduct/v1/runs/RUN-001/features`,
  response: {
    message: 'Features linked successfully',
    count: 3,
  },
}

export const examples = [create, list, get, update, remove, link]
