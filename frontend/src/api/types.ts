/** Short names for the generated schema's types; nothing here is written by hand. */
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type User = Schemas["UserOut"];
export type Session = Schemas["SessionOut"];
export type Token = Schemas["TokenOut"];
export type TokenCreated = Schemas["TokenCreatedOut"];
export type Project = Schemas["ProjectOut"];
export type ProjectCounts = Schemas["ProjectCountsOut"];
export type ChannelMap = Schemas["ChannelMap"];
export type ChannelMapSaved = Schemas["ChannelMapOut"];
export type Member = Schemas["MemberOut"];
export type Role = Schemas["Role"];
export type Image = Schemas["ImageOut"];
export type ImageDetail = Schemas["ImageDetailOut"];
export type ImagePage = Schemas["ImagePageOut"];
export type ImageStatus = Schemas["ImageStatus"];
export type JobRef = Schemas["JobOut"];
export type VersionRef = Schemas["VersionRefOut"];
export type ModelVersion = Schemas["ModelVersionOut"];
export type VersionState = ModelVersion["state"];
export type TrainingRun = Schemas["TrainingRunOut"];
export type Evaluation = Schemas["EvaluationOut"];
export type ProjectModel = Schemas["ModelOut"];
export type OutcomeCounts = Schemas["OutcomeCountsOut"];
export type LoopSettings = ProjectModel["settings"];
export type Proof = ProjectModel["proof"];
export type Candidate = TrainingRun["candidates"][number];
type Compared = paths["/api/images/{image_id}/compare"]["post"]["responses"][200]["content"]["application/json"];
export type LabelSet = Compared["label_sets"][number];
