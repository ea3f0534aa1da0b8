import { lazy, Suspense } from "react";
import { Route, Switch, useParams } from "wouter";

import type { Project } from "../api/types";
import { AccountPage } from "./account/AccountPage";
import { ExportPage } from "./exports/ExportPage";
import { ImagesPage } from "./images/ImagesPage";
import { LoginPage } from "./login/LoginPage";
import { ModelPage } from "./model/ModelPage";
import { PeoplePage } from "./people/PeoplePage";
import { ProjectsPage } from "./projects/ProjectsPage";
import { RequireSession } from "./session/RequireSession";
import { PlainPage } from "./shell/PlainPage";
import { ProjectShell } from "./shell/ProjectShell";
import { Loading } from "./states/Loading";
import { NotFound } from "./states/NotFound";

// The labelling page carries WebGL and the tools: the other pages should not pay for it.
const LabelPage = lazy(() => import("./label/LabelPage"));

function projectPages(project: Project) {
  return (
    <Switch>
      <Route path="/projects/:projectId">
        <ImagesPage project={project} />
      </Route>
      <Route path="/projects/:projectId/model">
        <ModelPage project={project} />
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
