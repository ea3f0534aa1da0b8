import { lazy, Suspense } from "react";
import { Route, Switch, useParams } from "wouter";

import type { Project } from "../api/types";
import { LoginPage } from "./login/LoginPage";
import { RequireSession } from "./session/RequireSession";
import { PlainPage } from "./shell/PlainPage";
import { ProjectShell } from "./shell/ProjectShell";
import { Loading } from "./states/Loading";
import { NotFound } from "./states/NotFound";

// A page brings its own code when it is opened: nobody who labels pays for the model page, nor the other way round.
const LabelPage = lazy(() => import("./label/LabelPage"));
const AccountPage = lazy(async () => ({ default: (await import("./account/AccountPage")).AccountPage }));
const ProjectsPage = lazy(async () => ({ default: (await import("./projects/ProjectsPage")).ProjectsPage }));
const ImagesPage = lazy(async () => ({ default: (await import("./images/ImagesPage")).ImagesPage }));
const ModelPage = lazy(async () => ({ default: (await import("./model/ModelPage")).ModelPage }));
const ComparePage = lazy(async () => ({ default: (await import("./compare/ComparePage")).ComparePage }));
const ClassesPage = lazy(async () => ({ default: (await import("./classes/ClassesPage")).ClassesPage }));
const PeoplePage = lazy(async () => ({ default: (await import("./people/PeoplePage")).PeoplePage }));
const KeysPage = lazy(async () => ({ default: (await import("./keys/KeysPage")).KeysPage }));
const ExportPage = lazy(async () => ({ default: (await import("./exports/ExportPage")).ExportPage }));

function projectPages(project: Project) {
  return (
    <Switch>
      <Route path="/projects/:projectId">
        <ImagesPage project={project} />
      </Route>
      <Route path="/projects/:projectId/model">
        <ModelPage project={project} />
      </Route>
      <Route path="/projects/:projectId/compare">
        <ComparePage project={project} />
      </Route>
      <Route path="/projects/:projectId/classes">
        <ClassesPage project={project} />
      </Route>
      <Route path="/projects/:projectId/people">
        <PeoplePage project={project} />
      </Route>
      <Route path="/projects/:projectId/export">
        <ExportPage project={project} />
      </Route>
      <Route component={NotFound} />
    </Switch>
  );
}

/** Keyed by project: nothing of one project's page may linger in another's. */
function ProjectArea() {
  const { projectId } = useParams<{ projectId: string }>();
  return (
    <ProjectShell key={projectId} projectId={projectId}>
      {projectPages}
    </ProjectShell>
  );
}

export function Routes() {
  return (
    <Switch>
      <Route path="/login" component={LoginPage} />
      <Route>
        <RequireSession>
          <Suspense fallback={<Loading what="page" />}>
            <Switch>
              <Route path="/" component={ProjectsPage} />
              <Route path="/projects/:projectId/*?" component={ProjectArea} />
              <Route path="/images/:imageId" component={LabelPage} />
              <Route path="/account" component={AccountPage} />
              <Route path="/keys" component={KeysPage} />
              <Route>
                <PlainPage>
                  <main>
                    <NotFound />
                  </main>
                </PlainPage>
              </Route>
            </Switch>
          </Suspense>
        </RequireSession>
      </Route>
    </Switch>
  );
}
