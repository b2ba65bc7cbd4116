-- A synthetic site, made by the software of version 1.
CREATE TABLE account ( user_id INTEGER NOT NULL,  login TEXT COLLATE "C" NOT NULL,  password_hash TEXT COLLATE "C" NOT NULL,  is_admin BOOLEAN NOT NULL,  email TEXT COLLATE "C" NOT NULL,  enabled BOOLEAN NOT NULL,  insert_date TIMESTAMP WITHOUT TIME ZONE NOT NULL,  PRIMARY KEY (user_id),  UNIQUE (login) );
CREATE TABLE counter ( name TEXT COLLATE "C" NOT NULL,  value BIGINT NOT NULL,  PRIMARY KEY (name) );
CREATE TABLE item ( pk BIGINT NOT NULL,  id TEXT COLLATE "C" NOT NULL,  family TEXT COLLATE "C" NOT NULL,  xsi_type TEXT COLLATE "C" NOT NULL,  project TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C" NOT NULL,  subject_pk BIGINT,  date DATE,  projects_text TEXT COLLATE "C" NOT NULL,  status TEXT COLLATE "C" DEFAULT 'active' NOT NULL,  insert_date TIMESTAMP WITHOUT TIME ZONE NOT NULL,  insert_user TEXT COLLATE "C" NOT NULL,  last_modified TIMESTAMP WITHOUT TIME ZONE NOT NULL,  PRIMARY KEY (pk),  UNIQUE (id),  FOREIGN KEY(subject_pk) REFERENCES item (pk) );
CREATE INDEX item_by_family ON item (family, id);
CREATE INDEX item_by_subject ON item (subject_pk, xsi_type);
CREATE INDEX item_by_type ON item (xsi_type);
CREATE TABLE schema_version ( version INTEGER NOT NULL );
CREATE TABLE setting ( name TEXT COLLATE "C" NOT NULL,  value TEXT COLLATE "C" NOT NULL,  PRIMARY KEY (name) );
CREATE TABLE type_layout ( table_name TEXT COLLATE "C" NOT NULL,  fingerprint TEXT COLLATE "C" NOT NULL,  PRIMARY KEY (table_name) );
CREATE TABLE login_session ( digest TEXT COLLATE "C" NOT NULL,  user_id INTEGER NOT NULL,  lifetime_s FLOAT(53) NOT NULL,  expires_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,  PRIMARY KEY (digest),  FOREIGN KEY(user_id) REFERENCES account (user_id) ON DELETE CASCADE );
CREATE INDEX ix_login_session_expires_at ON login_session (expires_at);
CREATE TABLE project ( pk BIGINT NOT NULL,  id TEXT COLLATE "C" NOT NULL,  folded_id TEXT COLLATE "C" NOT NULL,  accessibility TEXT COLLATE "C" NOT NULL,  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE,  UNIQUE (id),  UNIQUE (folded_id) );
CREATE TABLE file ( pk BIGINT NOT NULL,  subject_pk BIGINT,  project TEXT COLLATE "C" NOT NULL,  subject_label TEXT COLLATE "C",  session TEXT COLLATE "C",  run TEXT COLLATE "C",  kind TEXT COLLATE "C",  package TEXT COLLATE "C",  key TEXT COLLATE "C" NOT NULL,  size BIGINT NOT NULL,  algorithm TEXT COLLATE "C",  digest TEXT COLLATE "C",  release TEXT COLLATE "C",  location TEXT COLLATE "C" NOT NULL,  PRIMARY KEY (pk),  CONSTRAINT key_once_per_location UNIQUE (project, location, key),  FOREIGN KEY(subject_pk) REFERENCES item (pk) ON DELETE CASCADE,  FOREIGN KEY(project) REFERENCES project (id) ON DELETE CASCADE );
CREATE INDEX file_by_run_kind ON file (run, kind);
CREATE INDEX file_by_subject_kind ON file (subject_pk, kind);
CREATE INDEX file_by_subject_package ON file (subject_pk, package);
CREATE INDEX file_by_subject_run ON file (subject_pk, run);
CREATE TABLE membership ( item_pk BIGINT NOT NULL,  project TEXT COLLATE "C" NOT NULL,  family TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C" NOT NULL,  position INTEGER NOT NULL,  PRIMARY KEY (item_pk, project),  CONSTRAINT label_once_per_project UNIQUE (project, family, label),  FOREIGN KEY(item_pk) REFERENCES item (pk) ON DELETE CASCADE,  FOREIGN KEY(project) REFERENCES project (id) );
CREATE INDEX membership_by_project ON membership (project, item_pk);
CREATE TABLE project_user ( user_id INTEGER NOT NULL,  project TEXT COLLATE "C" NOT NULL,  group_name TEXT COLLATE "C" NOT NULL,  PRIMARY KEY (user_id, project),  FOREIGN KEY(user_id) REFERENCES account (user_id) ON DELETE CASCADE,  FOREIGN KEY(project) REFERENCES project (id) ON DELETE CASCADE );
INSERT INTO account (user_id, login, password_hash, is_admin, email, enabled, insert_date) VALUES (1, 'admin', 'synthetic', true, '', true, '2026-11-25 12:59:28.563398');
INSERT INTO account (user_id, login, password_hash, is_admin, email, enabled, insert_date) VALUES (2, 'reader', 'synthetic', false, '', true, '2026-11-25 12:59:28.862730');
INSERT INTO counter (name, value) VALUES ('account', 2);
INSERT INTO counter (name, value) VALUES ('experiment', 3);
INSERT INTO counter (name, value) VALUES ('file', 1);
INSERT INTO counter (name, value) VALUES ('pk', 7);
INSERT INTO counter (name, value) VALUES ('subject', 2);
INSERT INTO item (pk, id, family, xsi_type, project, label, projects_text, status, insert_date, insert_user, last_modified) VALUES (1, 'P', 'project', 'xnat:projectData', 'P', 'P', '<P>', 'active', '2026-11-25 12:59:28.251303', 'admin', '2026-11-25 12:59:28.251303');
INSERT INTO item (pk, id, family, xsi_type, project, label, projects_text, status, insert_date, insert_user, last_modified) VALUES (2, 'Q', 'project', 'xnat:projectData', 'Q', 'Q', '<Q>', 'active', '2026-11-25 12:59:28.258894', 'admin', '2026-11-25 12:59:28.258894');
INSERT INTO item (pk, id, family, xsi_type, project, label, projects_text, status, insert_date, insert_user, last_modified) VALUES (3, 'Old_S00001', 'subject', 'xnat:subjectData', 'P', '100', ',<P>,<Q>', 'active', '2026-11-25 12:59:28.873030', 'admin', '2026-11-25 12:59:28.873030');
INSERT INTO item (pk, id, family, xsi_type, project, label, projects_text, status, insert_date, insert_user, last_modified) VALUES (4, 'Old_S00002', 'subject', 'xnat:subjectData', 'P', '101', ',<P>', 'active', '2026-11-25 12:59:28.873030', 'admin', '2026-11-25 12:59:28.873030');
INSERT INTO item (pk, id, family, xsi_type, project, label, subject_pk, projects_text, status, insert_date, insert_user, last_modified) VALUES (5, 'Old_E00001', 'experiment', 'nt:scores', 'P', '100_scores', 3, '<P>', 'active', '2026-11-25 12:59:28.873030', 'admin', '2026-11-25 12:59:28.873030');
INSERT INTO item (pk, id, family, xsi_type, project, label, subject_pk, projects_text, status, insert_date, insert_user, last_modified) VALUES (6, 'Old_E00002', 'experiment', 'xnat:mrSessionData', 'P', '100_3T', 3, '<P>', 'active', '2026-11-25 12:59:28.873030', 'admin', '2026-11-25 12:59:28.873030');
INSERT INTO item (pk, id, family, xsi_type, project, label, projects_text, status, insert_date, insert_user, last_modified) VALUES (7, 'Old_E00003', 'experiment', 'xnat:qcManualAssessorData', 'P', '100_qc', '<P>', 'active', '2026-11-25 12:59:28.890919', 'admin', '2026-11-25 12:59:28.890919');
INSERT INTO schema_version (version) VALUES (1);
INSERT INTO setting (name, value) VALUES ('site_id', 'Old');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_hcp_subjmeta', 'pk BigInteger
visit_id Text
visit Text
version BigInteger
original Text
protocol Text
date Date
time Time
duration Text
delay BigInteger
delay_ref_expt_id Text
note Text
investigator_id Text
investigator_title Text
investigator_firstname Text
investigator_lastname Text
investigator_institution Text
investigator_department Text
investigator_email Text
investigator_phone Text
validation_status Text
validation_method Text
validation_date Date
validation_notes Text
validation_validated_by Text
acquisition_site Text
subject_id Text
age Float
release Text
age_band Text
scan_completion Boolean
notice Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_hcp_subjmeta__fields_field', 'owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_hcp_subjmeta__resources_resource', 'owner_pk BigInteger
entry Integer
entry_type Text
label Text
file_count BigInteger
file_size BigInteger
note Text
uri Text
format Text
description Text
content Text
cachepath Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_nt_scores', 'pk BigInteger
visit_id Text
visit Text
version BigInteger
original Text
protocol Text
date Date
time Time
duration Text
delay BigInteger
delay_ref_expt_id Text
note Text
investigator_id Text
investigator_title Text
investigator_firstname Text
investigator_lastname Text
investigator_institution Text
investigator_department Text
investigator_email Text
investigator_phone Text
validation_status Text
validation_method Text
validation_date Date
validation_notes Text
validation_validated_by Text
acquisition_site Text
subject_id Text
age Float
neo_neofac_a BigInteger
neo_neofac_o BigInteger
neo_neofac_c BigInteger
neo_neofac_n BigInteger
neo_neofac_e BigInteger
er40_er40_cr BigInteger
er40_er40_crt Float
er40_er40ang BigInteger
er40_er40fear BigInteger
er40_er40hap BigInteger
er40_er40noe BigInteger
er40_er40sad BigInteger
cpw_iwrd_tot BigInteger
cpw_iwrd_rtc Float
scpt_scpt_tp BigInteger
scpt_scpt_tn BigInteger
scpt_scpt_fp BigInteger
scpt_scpt_fn BigInteger
scpt_scpt_tprt Float
scpt_scpt_sen Float
scpt_scpt_spec Float
scpt_scpt_lrnr BigInteger
vsplot_vsplot_tc BigInteger
vsplot_vsplot_crte Float
vsplot_vsplot_off BigInteger
pmat_pmat24_a_cr BigInteger
pmat_pmat24_a_si BigInteger
pmat_pmat24_a_rtcr Float
ddisc_ddisc_sv_1mo_200 Float
ddisc_ddisc_sv_6mo_200 Float
ddisc_ddisc_sv_1yr_200 Float
ddisc_ddisc_sv_3yr_200 Float
ddisc_ddisc_sv_5yr_200 Float
ddisc_ddisc_sv_10yr_200 Float
ddisc_ddisc_auc_200 Float
ddisc_ddisc_sv_1mo_40k BigInteger
ddisc_ddisc_sv_6mo_40k BigInteger
ddisc_ddisc_sv_1yr_40k BigInteger
ddisc_ddisc_sv_3yr_40k BigInteger
ddisc_ddisc_sv_5yr_40k BigInteger
ddisc_ddisc_sv_10yr_40k BigInteger
ddisc_ddisc_auc_40k Float
mars_mars_log_score Float
mars_mars_errs BigInteger
mars_mars_final Float');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_nt_scores__fields_field', 'owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_nt_scores__resources_resource', 'owner_pk BigInteger
entry Integer
entry_type Text
label Text
file_count BigInteger
file_size BigInteger
note Text
uri Text
format Text
description Text
content Text
cachepath Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_ctsessiondata', 'pk BigInteger
visit_id Text
visit Text
version BigInteger
original Text
protocol Text
session_type Text
modality Text
uid Text
study_id Text
date Date
time Time
duration Text
delay BigInteger
delay_ref_expt_id Text
note Text
investigator_id Text
investigator_title Text
investigator_firstname Text
investigator_lastname Text
investigator_institution Text
investigator_department Text
investigator_email Text
investigator_phone Text
validation_status Text
validation_method Text
validation_date Date
validation_notes Text
validation_validated_by Text
acquisition_site Text
subject_id Text
age Float
scanner Text
scanner_manufacturer Text
scanner_model Text
operator Text
prearchivepath Text
dcmaccessionnumber Text
dcmpatientid Text
dcmpatientname Text
dcmpatientbirthdate Date
dcmpatientweight Float');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_ctsessiondata__fields_field', 'owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_ctsessiondata__reconstructions_reconstructedimage', 'owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
basescantype Text
image_session_id Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_ctsessiondata__resources_resource', 'owner_pk BigInteger
entry Integer
entry_type Text
label Text
file_count BigInteger
file_size BigInteger
note Text
uri Text
format Text
description Text
content Text
cachepath Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_ctsessiondata__scans_scan', 'owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
uid Text
project Text
image_session_id Text
note Text
quality Text
condition Text
series_description Text
documentation Text
scanner Text
scanner_manufacturer Text
scanner_model Text
modality Text
frames BigInteger
operator Text
starttime Time
protocolname Text
coil Text
fieldstrength Text
marker Text
stabilization Text
parameters_voxelres_units Text
parameters_voxelres_x Float
parameters_voxelres_y Float
parameters_voxelres_z Float
parameters_matrix_x BigInteger
parameters_matrix_y BigInteger
parameters_orientation Text
parameters_partitions BigInteger
parameters_tr Float
parameters_te Float
parameters_ti Float
parameters_flip Float
parameters_sequence Text
parameters_imagetype Text
parameters_pixelbandwidth Float
parameters_echospacing Float
parameters_phaseencodingdirection Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_genericdata', 'pk BigInteger
visit_id Text
visit Text
version BigInteger
original Text
protocol Text
date Date
time Time
duration Text
delay BigInteger
delay_ref_expt_id Text
note Text
investigator_id Text
investigator_title Text
investigator_firstname Text
investigator_lastname Text
investigator_institution Text
investigator_department Text
investigator_email Text
investigator_phone Text
validation_status Text
validation_method Text
validation_date Date
validation_notes Text
validation_validated_by Text
acquisition_site Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_genericdata__fields_field', 'owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_genericdata__resources_resource', 'owner_pk BigInteger
entry Integer
entry_type Text
label Text
file_count BigInteger
file_size BigInteger
note Text
uri Text
format Text
description Text
content Text
cachepath Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_megsessiondata', 'pk BigInteger
visit_id Text
visit Text
version BigInteger
original Text
protocol Text
session_type Text
modality Text
uid Text
study_id Text
date Date
time Time
duration Text
delay BigInteger
delay_ref_expt_id Text
note Text
investigator_id Text
investigator_title Text
investigator_firstname Text
investigator_lastname Text
investigator_institution Text
investigator_department Text
investigator_email Text
investigator_phone Text
validation_status Text
validation_method Text
validation_date Date
validation_notes Text
validation_validated_by Text
acquisition_site Text
subject_id Text
age Float
scanner Text
scanner_manufacturer Text
scanner_model Text
operator Text
prearchivepath Text
dcmaccessionnumber Text
dcmpatientid Text
dcmpatientname Text
dcmpatientbirthdate Date
dcmpatientweight Float');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_megsessiondata__fields_field', 'owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_megsessiondata__reconstructions_reconstructedimage', 'owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
basescantype Text
image_session_id Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_megsessiondata__resources_resource', 'owner_pk BigInteger
entry Integer
entry_type Text
label Text
file_count BigInteger
file_size BigInteger
note Text
uri Text
format Text
description Text
content Text
cachepath Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_megsessiondata__scans_scan', 'owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
uid Text
project Text
image_session_id Text
note Text
quality Text
condition Text
series_description Text
documentation Text
scanner Text
scanner_manufacturer Text
scanner_model Text
modality Text
frames BigInteger
operator Text
starttime Time
protocolname Text
coil Text
fieldstrength Text
marker Text
stabilization Text
parameters_voxelres_units Text
parameters_voxelres_x Float
parameters_voxelres_y Float
parameters_voxelres_z Float
parameters_matrix_x BigInteger
parameters_matrix_y BigInteger
parameters_orientation Text
parameters_partitions BigInteger
parameters_tr Float
parameters_te Float
parameters_ti Float
parameters_flip Float
parameters_sequence Text
parameters_imagetype Text
parameters_pixelbandwidth Float
parameters_echospacing Float
parameters_phaseencodingdirection Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_mrsessiondata', 'pk BigInteger
visit_id Text
visit Text
version BigInteger
original Text
protocol Text
session_type Text
modality Text
uid Text
study_id Text
date Date
time Time
duration Text
delay BigInteger
delay_ref_expt_id Text
note Text
investigator_id Text
investigator_title Text
investigator_firstname Text
investigator_lastname Text
investigator_institution Text
investigator_department Text
investigator_email Text
investigator_phone Text
validation_status Text
validation_method Text
validation_date Date
validation_notes Text
validation_validated_by Text
acquisition_site Text
subject_id Text
age Float
scanner Text
scanner_manufacturer Text
scanner_model Text
operator Text
prearchivepath Text
dcmaccessionnumber Text
dcmpatientid Text
dcmpatientname Text
dcmpatientbirthdate Date
dcmpatientweight Float
coil Text
fieldstrength Text
marker Text
stabilization Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_mrsessiondata__fields_field', 'owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_mrsessiondata__reconstructions_reconstructedimage', 'owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
basescantype Text
image_session_id Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_mrsessiondata__resources_resource', 'owner_pk BigInteger
entry Integer
entry_type Text
label Text
file_count BigInteger
file_size BigInteger
note Text
uri Text
format Text
description Text
content Text
cachepath Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_mrsessiondata__scans_scan', 'owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
uid Text
project Text
image_session_id Text
note Text
quality Text
condition Text
series_description Text
documentation Text
scanner Text
scanner_manufacturer Text
scanner_model Text
modality Text
frames BigInteger
operator Text
starttime Time
protocolname Text
coil Text
fieldstrength Text
marker Text
stabilization Text
parameters_voxelres_units Text
parameters_voxelres_x Float
parameters_voxelres_y Float
parameters_voxelres_z Float
parameters_matrix_x BigInteger
parameters_matrix_y BigInteger
parameters_orientation Text
parameters_partitions BigInteger
parameters_tr Float
parameters_te Float
parameters_ti Float
parameters_flip Float
parameters_sequence Text
parameters_imagetype Text
parameters_pixelbandwidth Float
parameters_echospacing Float
parameters_phaseencodingdirection Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_petsessiondata', 'pk BigInteger
visit_id Text
visit Text
version BigInteger
original Text
protocol Text
session_type Text
modality Text
uid Text
study_id Text
date Date
time Time
duration Text
delay BigInteger
delay_ref_expt_id Text
note Text
investigator_id Text
investigator_title Text
investigator_firstname Text
investigator_lastname Text
investigator_institution Text
investigator_department Text
investigator_email Text
investigator_phone Text
validation_status Text
validation_method Text
validation_date Date
validation_notes Text
validation_validated_by Text
acquisition_site Text
subject_id Text
age Float
scanner Text
scanner_manufacturer Text
scanner_model Text
operator Text
prearchivepath Text
dcmaccessionnumber Text
dcmpatientid Text
dcmpatientname Text
dcmpatientbirthdate Date
dcmpatientweight Float');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_petsessiondata__fields_field', 'owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_petsessiondata__reconstructions_reconstructedimage', 'owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
basescantype Text
image_session_id Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_petsessiondata__resources_resource', 'owner_pk BigInteger
entry Integer
entry_type Text
label Text
file_count BigInteger
file_size BigInteger
note Text
uri Text
format Text
description Text
content Text
cachepath Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_petsessiondata__scans_scan', 'owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
uid Text
project Text
image_session_id Text
note Text
quality Text
condition Text
series_description Text
documentation Text
scanner Text
scanner_manufacturer Text
scanner_model Text
modality Text
frames BigInteger
operator Text
starttime Time
protocolname Text
coil Text
fieldstrength Text
marker Text
stabilization Text
parameters_voxelres_units Text
parameters_voxelres_x Float
parameters_voxelres_y Float
parameters_voxelres_z Float
parameters_matrix_x BigInteger
parameters_matrix_y BigInteger
parameters_orientation Text
parameters_partitions BigInteger
parameters_tr Float
parameters_te Float
parameters_ti Float
parameters_flip Float
parameters_sequence Text
parameters_imagetype Text
parameters_pixelbandwidth Float
parameters_echospacing Float
parameters_phaseencodingdirection Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_projectdata', 'pk BigInteger
secondary_id Text
active Boolean
name Text
description Text
keywords Text
pi_id Text
pi_title Text
pi_firstname Text
pi_lastname Text
pi_institution Text
pi_department Text
pi_email Text
pi_phone Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_projectdata__aliases_alias', 'owner_pk BigInteger
entry Integer
entry_type Text
alias Text
source Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_projectdata__fields_field', 'owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_projectdata__investigators_investigator', 'owner_pk BigInteger
entry Integer
entry_type Text
id Text
title Text
firstname Text
lastname Text
institution Text
department Text
email Text
phone Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_projectdata__resources_resource', 'owner_pk BigInteger
entry Integer
entry_type Text
label Text
file_count BigInteger
file_size BigInteger
note Text
uri Text
format Text
description Text
content Text
cachepath Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_qcmanualassessordata', 'pk BigInteger
visit_id Text
visit Text
version BigInteger
original Text
protocol Text
date Date
time Time
duration Text
delay BigInteger
delay_ref_expt_id Text
note Text
investigator_id Text
investigator_title Text
investigator_firstname Text
investigator_lastname Text
investigator_institution Text
investigator_department Text
investigator_email Text
investigator_phone Text
validation_status Text
validation_method Text
validation_date Date
validation_notes Text
validation_validated_by Text
acquisition_site Text
imagesession_id Text
rater Text
stereotacticmarker Text
incidentalfindings Text
comments Text
pass Text
payable Text
rescan Text
resolvable Text
retrain Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_qcmanualassessordata__fields_field', 'owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_qcmanualassessordata__resources_resource', 'owner_pk BigInteger
entry Integer
entry_type Text
label Text
file_count BigInteger
file_size BigInteger
note Text
uri Text
format Text
description Text
content Text
cachepath Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_subjectdata', 'pk BigInteger
group Text
src Text
initials Text
investigator_id Text
investigator_title Text
investigator_firstname Text
investigator_lastname Text
investigator_institution Text
investigator_department Text
investigator_email Text
investigator_phone Text
demographics_dob Date
demographics_yob BigInteger
demographics_age BigInteger
demographics_gender Text
demographics_handedness Text
demographics_ses BigInteger
demographics_employment BigInteger
demographics_education BigInteger
demographics_educationdesc Text
demographics_race Text
demographics_ethnicity Text
demographics_weight Float
demographics_weight_units Text
demographics_height Float
demographics_height_units Text
demographics_gestational_age Float
demographics_post_menstrual_age Float
demographics_birth_weight Float');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_subjectdata__addid', 'owner_pk BigInteger
entry Integer
entry_type Text
addid Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_subjectdata__fields_field', 'owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_subjectdata__resources_resource', 'owner_pk BigInteger
entry Integer
entry_type Text
label Text
file_count BigInteger
file_size BigInteger
note Text
uri Text
format Text
description Text
content Text
cachepath Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_subjectvariablesdata', 'pk BigInteger
visit_id Text
visit Text
version BigInteger
original Text
protocol Text
date Date
time Time
duration Text
delay BigInteger
delay_ref_expt_id Text
note Text
investigator_id Text
investigator_title Text
investigator_firstname Text
investigator_lastname Text
investigator_institution Text
investigator_department Text
investigator_email Text
investigator_phone Text
validation_status Text
validation_method Text
validation_date Date
validation_notes Text
validation_validated_by Text
acquisition_site Text
subject_id Text
age Float');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_subjectvariablesdata__fields_field', 'owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_subjectvariablesdata__resources_resource', 'owner_pk BigInteger
entry Integer
entry_type Text
label Text
file_count BigInteger
file_size BigInteger
note Text
uri Text
format Text
description Text
content Text
cachepath Text');
INSERT INTO type_layout (table_name, fingerprint) VALUES ('t_xnat_subjectvariablesdata__variables_variable', 'owner_pk BigInteger
entry Integer
entry_type Text
variable Text
name Text');
INSERT INTO project (pk, id, folded_id, accessibility) VALUES (1, 'P', 'p', 'private');
INSERT INTO project (pk, id, folded_id, accessibility) VALUES (2, 'Q', 'q', 'private');
INSERT INTO file (pk, subject_pk, project, subject_label, key, size, location) VALUES (1, 3, 'P', '100', 'q1/100/a.nii', 12, 'file:///mirror');
INSERT INTO membership (item_pk, project, family, label, position) VALUES (1, 'P', 'project', 'P', 0);
INSERT INTO membership (item_pk, project, family, label, position) VALUES (2, 'Q', 'project', 'Q', 0);
INSERT INTO membership (item_pk, project, family, label, position) VALUES (3, 'P', 'subject', '100', 0);
INSERT INTO membership (item_pk, project, family, label, position) VALUES (3, 'Q', 'subject', 'q100', 1);
INSERT INTO membership (item_pk, project, family, label, position) VALUES (4, 'P', 'subject', '101', 0);
INSERT INTO membership (item_pk, project, family, label, position) VALUES (5, 'P', 'experiment', '100_scores', 0);
INSERT INTO membership (item_pk, project, family, label, position) VALUES (6, 'P', 'experiment', '100_3T', 0);
INSERT INTO membership (item_pk, project, family, label, position) VALUES (7, 'P', 'experiment', '100_qc', 0);
INSERT INTO project_user (user_id, project, group_name) VALUES (2, 'P', 'collaborator');
CREATE TABLE t_hcp_subjmeta ( pk BIGINT NOT NULL,  visit_id TEXT COLLATE "C",  visit TEXT COLLATE "C",  version BIGINT,  original TEXT COLLATE "C",  protocol TEXT COLLATE "C",  date DATE,  time TIME WITHOUT TIME ZONE,  duration TEXT COLLATE "C",  delay BIGINT,  delay_ref_expt_id TEXT COLLATE "C",  note TEXT COLLATE "C",  investigator_id TEXT COLLATE "C",  investigator_title TEXT COLLATE "C",  investigator_firstname TEXT COLLATE "C",  investigator_lastname TEXT COLLATE "C",  investigator_institution TEXT COLLATE "C",  investigator_department TEXT COLLATE "C",  investigator_email TEXT COLLATE "C",  investigator_phone TEXT COLLATE "C",  validation_status TEXT COLLATE "C",  validation_method TEXT COLLATE "C",  validation_date DATE,  validation_notes TEXT COLLATE "C",  validation_validated_by TEXT COLLATE "C",  acquisition_site TEXT COLLATE "C",  subject_id TEXT COLLATE "C",  age FLOAT(53),  release TEXT COLLATE "C",  age_band TEXT COLLATE "C",  scan_completion BOOLEAN,  notice TEXT COLLATE "C",  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE INDEX t_hcp_subjmeta_by_subject ON t_hcp_subjmeta (subject_id);
CREATE TABLE t_hcp_subjmeta__fields_field ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  field TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_hcp_subjmeta__resources_resource ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C",  file_count BIGINT,  file_size BIGINT,  note TEXT COLLATE "C",  uri TEXT COLLATE "C",  format TEXT COLLATE "C",  description TEXT COLLATE "C",  content TEXT COLLATE "C",  cachepath TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_nt_scores ( pk BIGINT NOT NULL,  visit_id TEXT COLLATE "C",  visit TEXT COLLATE "C",  version BIGINT,  original TEXT COLLATE "C",  protocol TEXT COLLATE "C",  date DATE,  time TIME WITHOUT TIME ZONE,  duration TEXT COLLATE "C",  delay BIGINT,  delay_ref_expt_id TEXT COLLATE "C",  note TEXT COLLATE "C",  investigator_id TEXT COLLATE "C",  investigator_title TEXT COLLATE "C",  investigator_firstname TEXT COLLATE "C",  investigator_lastname TEXT COLLATE "C",  investigator_institution TEXT COLLATE "C",  investigator_department TEXT COLLATE "C",  investigator_email TEXT COLLATE "C",  investigator_phone TEXT COLLATE "C",  validation_status TEXT COLLATE "C",  validation_method TEXT COLLATE "C",  validation_date DATE,  validation_notes TEXT COLLATE "C",  validation_validated_by TEXT COLLATE "C",  acquisition_site TEXT COLLATE "C",  subject_id TEXT COLLATE "C",  age FLOAT(53),  neo_neofac_a BIGINT,  neo_neofac_o BIGINT,  neo_neofac_c BIGINT,  neo_neofac_n BIGINT,  neo_neofac_e BIGINT,  er40_er40_cr BIGINT,  er40_er40_crt FLOAT(53),  er40_er40ang BIGINT,  er40_er40fear BIGINT,  er40_er40hap BIGINT,  er40_er40noe BIGINT,  er40_er40sad BIGINT,  cpw_iwrd_tot BIGINT,  cpw_iwrd_rtc FLOAT(53),  scpt_scpt_tp BIGINT,  scpt_scpt_tn BIGINT,  scpt_scpt_fp BIGINT,  scpt_scpt_fn BIGINT,  scpt_scpt_tprt FLOAT(53),  scpt_scpt_sen FLOAT(53),  scpt_scpt_spec FLOAT(53),  scpt_scpt_lrnr BIGINT,  vsplot_vsplot_tc BIGINT,  vsplot_vsplot_crte FLOAT(53),  vsplot_vsplot_off BIGINT,  pmat_pmat24_a_cr BIGINT,  pmat_pmat24_a_si BIGINT,  pmat_pmat24_a_rtcr FLOAT(53),  ddisc_ddisc_sv_1mo_200 FLOAT(53),  ddisc_ddisc_sv_6mo_200 FLOAT(53),  ddisc_ddisc_sv_1yr_200 FLOAT(53),  ddisc_ddisc_sv_3yr_200 FLOAT(53),  ddisc_ddisc_sv_5yr_200 FLOAT(53),  ddisc_ddisc_sv_10yr_200 FLOAT(53),  ddisc_ddisc_auc_200 FLOAT(53),  ddisc_ddisc_sv_1mo_40k BIGINT,  ddisc_ddisc_sv_6mo_40k BIGINT,  ddisc_ddisc_sv_1yr_40k BIGINT,  ddisc_ddisc_sv_3yr_40k BIGINT,  ddisc_ddisc_sv_5yr_40k BIGINT,  ddisc_ddisc_sv_10yr_40k BIGINT,  ddisc_ddisc_auc_40k FLOAT(53),  mars_mars_log_score FLOAT(53),  mars_mars_errs BIGINT,  mars_mars_final FLOAT(53),  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE INDEX t_nt_scores_by_subject ON t_nt_scores (subject_id);
CREATE TABLE t_nt_scores__fields_field ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  field TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_nt_scores__resources_resource ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C",  file_count BIGINT,  file_size BIGINT,  note TEXT COLLATE "C",  uri TEXT COLLATE "C",  format TEXT COLLATE "C",  description TEXT COLLATE "C",  content TEXT COLLATE "C",  cachepath TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_ctsessiondata ( pk BIGINT NOT NULL,  visit_id TEXT COLLATE "C",  visit TEXT COLLATE "C",  version BIGINT,  original TEXT COLLATE "C",  protocol TEXT COLLATE "C",  session_type TEXT COLLATE "C",  modality TEXT COLLATE "C",  uid TEXT COLLATE "C",  study_id TEXT COLLATE "C",  date DATE,  time TIME WITHOUT TIME ZONE,  duration TEXT COLLATE "C",  delay BIGINT,  delay_ref_expt_id TEXT COLLATE "C",  note TEXT COLLATE "C",  investigator_id TEXT COLLATE "C",  investigator_title TEXT COLLATE "C",  investigator_firstname TEXT COLLATE "C",  investigator_lastname TEXT COLLATE "C",  investigator_institution TEXT COLLATE "C",  investigator_department TEXT COLLATE "C",  investigator_email TEXT COLLATE "C",  investigator_phone TEXT COLLATE "C",  validation_status TEXT COLLATE "C",  validation_method TEXT COLLATE "C",  validation_date DATE,  validation_notes TEXT COLLATE "C",  validation_validated_by TEXT COLLATE "C",  acquisition_site TEXT COLLATE "C",  subject_id TEXT COLLATE "C",  age FLOAT(53),  scanner TEXT COLLATE "C",  scanner_manufacturer TEXT COLLATE "C",  scanner_model TEXT COLLATE "C",  operator TEXT COLLATE "C",  prearchivepath TEXT COLLATE "C",  dcmaccessionnumber TEXT COLLATE "C",  dcmpatientid TEXT COLLATE "C",  dcmpatientname TEXT COLLATE "C",  dcmpatientbirthdate DATE,  dcmpatientweight FLOAT(53),  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE INDEX t_xnat_ctsessiondata_by_subject ON t_xnat_ctsessiondata (subject_id);
CREATE TABLE t_xnat_ctsessiondata__fields_field ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  field TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_ctsessiondata__reconstructions_reconstructedimage ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  id TEXT COLLATE "C",  type TEXT COLLATE "C",  basescantype TEXT COLLATE "C",  image_session_id TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_ctsessiondata__resources_resource ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C",  file_count BIGINT,  file_size BIGINT,  note TEXT COLLATE "C",  uri TEXT COLLATE "C",  format TEXT COLLATE "C",  description TEXT COLLATE "C",  content TEXT COLLATE "C",  cachepath TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_ctsessiondata__scans_scan ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  id TEXT COLLATE "C",  type TEXT COLLATE "C",  uid TEXT COLLATE "C",  project TEXT COLLATE "C",  image_session_id TEXT COLLATE "C",  note TEXT COLLATE "C",  quality TEXT COLLATE "C",  condition TEXT COLLATE "C",  series_description TEXT COLLATE "C",  documentation TEXT COLLATE "C",  scanner TEXT COLLATE "C",  scanner_manufacturer TEXT COLLATE "C",  scanner_model TEXT COLLATE "C",  modality TEXT COLLATE "C",  frames BIGINT,  operator TEXT COLLATE "C",  starttime TIME WITHOUT TIME ZONE,  protocolname TEXT COLLATE "C",  coil TEXT COLLATE "C",  fieldstrength TEXT COLLATE "C",  marker TEXT COLLATE "C",  stabilization TEXT COLLATE "C",  parameters_voxelres_units TEXT COLLATE "C",  parameters_voxelres_x FLOAT(53),  parameters_voxelres_y FLOAT(53),  parameters_voxelres_z FLOAT(53),  parameters_matrix_x BIGINT,  parameters_matrix_y BIGINT,  parameters_orientation TEXT COLLATE "C",  parameters_partitions BIGINT,  parameters_tr FLOAT(53),  parameters_te FLOAT(53),  parameters_ti FLOAT(53),  parameters_flip FLOAT(53),  parameters_sequence TEXT COLLATE "C",  parameters_imagetype TEXT COLLATE "C",  parameters_pixelbandwidth FLOAT(53),  parameters_echospacing FLOAT(53),  parameters_phaseencodingdirection TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_genericdata ( pk BIGINT NOT NULL,  visit_id TEXT COLLATE "C",  visit TEXT COLLATE "C",  version BIGINT,  original TEXT COLLATE "C",  protocol TEXT COLLATE "C",  date DATE,  time TIME WITHOUT TIME ZONE,  duration TEXT COLLATE "C",  delay BIGINT,  delay_ref_expt_id TEXT COLLATE "C",  note TEXT COLLATE "C",  investigator_id TEXT COLLATE "C",  investigator_title TEXT COLLATE "C",  investigator_firstname TEXT COLLATE "C",  investigator_lastname TEXT COLLATE "C",  investigator_institution TEXT COLLATE "C",  investigator_department TEXT COLLATE "C",  investigator_email TEXT COLLATE "C",  investigator_phone TEXT COLLATE "C",  validation_status TEXT COLLATE "C",  validation_method TEXT COLLATE "C",  validation_date DATE,  validation_notes TEXT COLLATE "C",  validation_validated_by TEXT COLLATE "C",  acquisition_site TEXT COLLATE "C",  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_genericdata__fields_field ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  field TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_genericdata__resources_resource ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C",  file_count BIGINT,  file_size BIGINT,  note TEXT COLLATE "C",  uri TEXT COLLATE "C",  format TEXT COLLATE "C",  description TEXT COLLATE "C",  content TEXT COLLATE "C",  cachepath TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_megsessiondata ( pk BIGINT NOT NULL,  visit_id TEXT COLLATE "C",  visit TEXT COLLATE "C",  version BIGINT,  original TEXT COLLATE "C",  protocol TEXT COLLATE "C",  session_type TEXT COLLATE "C",  modality TEXT COLLATE "C",  uid TEXT COLLATE "C",  study_id TEXT COLLATE "C",  date DATE,  time TIME WITHOUT TIME ZONE,  duration TEXT COLLATE "C",  delay BIGINT,  delay_ref_expt_id TEXT COLLATE "C",  note TEXT COLLATE "C",  investigator_id TEXT COLLATE "C",  investigator_title TEXT COLLATE "C",  investigator_firstname TEXT COLLATE "C",  investigator_lastname TEXT COLLATE "C",  investigator_institution TEXT COLLATE "C",  investigator_department TEXT COLLATE "C",  investigator_email TEXT COLLATE "C",  investigator_phone TEXT COLLATE "C",  validation_status TEXT COLLATE "C",  validation_method TEXT COLLATE "C",  validation_date DATE,  validation_notes TEXT COLLATE "C",  validation_validated_by TEXT COLLATE "C",  acquisition_site TEXT COLLATE "C",  subject_id TEXT COLLATE "C",  age FLOAT(53),  scanner TEXT COLLATE "C",  scanner_manufacturer TEXT COLLATE "C",  scanner_model TEXT COLLATE "C",  operator TEXT COLLATE "C",  prearchivepath TEXT COLLATE "C",  dcmaccessionnumber TEXT COLLATE "C",  dcmpatientid TEXT COLLATE "C",  dcmpatientname TEXT COLLATE "C",  dcmpatientbirthdate DATE,  dcmpatientweight FLOAT(53),  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE INDEX t_xnat_megsessiondata_by_subject ON t_xnat_megsessiondata (subject_id);
CREATE TABLE t_xnat_megsessiondata__fields_field ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  field TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_megsessiondata__reconstructions_reconstructedimage ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  id TEXT COLLATE "C",  type TEXT COLLATE "C",  basescantype TEXT COLLATE "C",  image_session_id TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_megsessiondata__resources_resource ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C",  file_count BIGINT,  file_size BIGINT,  note TEXT COLLATE "C",  uri TEXT COLLATE "C",  format TEXT COLLATE "C",  description TEXT COLLATE "C",  content TEXT COLLATE "C",  cachepath TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_megsessiondata__scans_scan ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  id TEXT COLLATE "C",  type TEXT COLLATE "C",  uid TEXT COLLATE "C",  project TEXT COLLATE "C",  image_session_id TEXT COLLATE "C",  note TEXT COLLATE "C",  quality TEXT COLLATE "C",  condition TEXT COLLATE "C",  series_description TEXT COLLATE "C",  documentation TEXT COLLATE "C",  scanner TEXT COLLATE "C",  scanner_manufacturer TEXT COLLATE "C",  scanner_model TEXT COLLATE "C",  modality TEXT COLLATE "C",  frames BIGINT,  operator TEXT COLLATE "C",  starttime TIME WITHOUT TIME ZONE,  protocolname TEXT COLLATE "C",  coil TEXT COLLATE "C",  fieldstrength TEXT COLLATE "C",  marker TEXT COLLATE "C",  stabilization TEXT COLLATE "C",  parameters_voxelres_units TEXT COLLATE "C",  parameters_voxelres_x FLOAT(53),  parameters_voxelres_y FLOAT(53),  parameters_voxelres_z FLOAT(53),  parameters_matrix_x BIGINT,  parameters_matrix_y BIGINT,  parameters_orientation TEXT COLLATE "C",  parameters_partitions BIGINT,  parameters_tr FLOAT(53),  parameters_te FLOAT(53),  parameters_ti FLOAT(53),  parameters_flip FLOAT(53),  parameters_sequence TEXT COLLATE "C",  parameters_imagetype TEXT COLLATE "C",  parameters_pixelbandwidth FLOAT(53),  parameters_echospacing FLOAT(53),  parameters_phaseencodingdirection TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_mrsessiondata ( pk BIGINT NOT NULL,  visit_id TEXT COLLATE "C",  visit TEXT COLLATE "C",  version BIGINT,  original TEXT COLLATE "C",  protocol TEXT COLLATE "C",  session_type TEXT COLLATE "C",  modality TEXT COLLATE "C",  uid TEXT COLLATE "C",  study_id TEXT COLLATE "C",  date DATE,  time TIME WITHOUT TIME ZONE,  duration TEXT COLLATE "C",  delay BIGINT,  delay_ref_expt_id TEXT COLLATE "C",  note TEXT COLLATE "C",  investigator_id TEXT COLLATE "C",  investigator_title TEXT COLLATE "C",  investigator_firstname TEXT COLLATE "C",  investigator_lastname TEXT COLLATE "C",  investigator_institution TEXT COLLATE "C",  investigator_department TEXT COLLATE "C",  investigator_email TEXT COLLATE "C",  investigator_phone TEXT COLLATE "C",  validation_status TEXT COLLATE "C",  validation_method TEXT COLLATE "C",  validation_date DATE,  validation_notes TEXT COLLATE "C",  validation_validated_by TEXT COLLATE "C",  acquisition_site TEXT COLLATE "C",  subject_id TEXT COLLATE "C",  age FLOAT(53),  scanner TEXT COLLATE "C",  scanner_manufacturer TEXT COLLATE "C",  scanner_model TEXT COLLATE "C",  operator TEXT COLLATE "C",  prearchivepath TEXT COLLATE "C",  dcmaccessionnumber TEXT COLLATE "C",  dcmpatientid TEXT COLLATE "C",  dcmpatientname TEXT COLLATE "C",  dcmpatientbirthdate DATE,  dcmpatientweight FLOAT(53),  coil TEXT COLLATE "C",  fieldstrength TEXT COLLATE "C",  marker TEXT COLLATE "C",  stabilization TEXT COLLATE "C",  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE INDEX t_xnat_mrsessiondata_by_subject ON t_xnat_mrsessiondata (subject_id);
CREATE TABLE t_xnat_mrsessiondata__fields_field ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  field TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_mrsessiondata__reconstructions_reconstructedimage ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  id TEXT COLLATE "C",  type TEXT COLLATE "C",  basescantype TEXT COLLATE "C",  image_session_id TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_mrsessiondata__resources_resource ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C",  file_count BIGINT,  file_size BIGINT,  note TEXT COLLATE "C",  uri TEXT COLLATE "C",  format TEXT COLLATE "C",  description TEXT COLLATE "C",  content TEXT COLLATE "C",  cachepath TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_mrsessiondata__scans_scan ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  id TEXT COLLATE "C",  type TEXT COLLATE "C",  uid TEXT COLLATE "C",  project TEXT COLLATE "C",  image_session_id TEXT COLLATE "C",  note TEXT COLLATE "C",  quality TEXT COLLATE "C",  condition TEXT COLLATE "C",  series_description TEXT COLLATE "C",  documentation TEXT COLLATE "C",  scanner TEXT COLLATE "C",  scanner_manufacturer TEXT COLLATE "C",  scanner_model TEXT COLLATE "C",  modality TEXT COLLATE "C",  frames BIGINT,  operator TEXT COLLATE "C",  starttime TIME WITHOUT TIME ZONE,  protocolname TEXT COLLATE "C",  coil TEXT COLLATE "C",  fieldstrength TEXT COLLATE "C",  marker TEXT COLLATE "C",  stabilization TEXT COLLATE "C",  parameters_voxelres_units TEXT COLLATE "C",  parameters_voxelres_x FLOAT(53),  parameters_voxelres_y FLOAT(53),  parameters_voxelres_z FLOAT(53),  parameters_matrix_x BIGINT,  parameters_matrix_y BIGINT,  parameters_orientation TEXT COLLATE "C",  parameters_partitions BIGINT,  parameters_tr FLOAT(53),  parameters_te FLOAT(53),  parameters_ti FLOAT(53),  parameters_flip FLOAT(53),  parameters_sequence TEXT COLLATE "C",  parameters_imagetype TEXT COLLATE "C",  parameters_pixelbandwidth FLOAT(53),  parameters_echospacing FLOAT(53),  parameters_phaseencodingdirection TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_petsessiondata ( pk BIGINT NOT NULL,  visit_id TEXT COLLATE "C",  visit TEXT COLLATE "C",  version BIGINT,  original TEXT COLLATE "C",  protocol TEXT COLLATE "C",  session_type TEXT COLLATE "C",  modality TEXT COLLATE "C",  uid TEXT COLLATE "C",  study_id TEXT COLLATE "C",  date DATE,  time TIME WITHOUT TIME ZONE,  duration TEXT COLLATE "C",  delay BIGINT,  delay_ref_expt_id TEXT COLLATE "C",  note TEXT COLLATE "C",  investigator_id TEXT COLLATE "C",  investigator_title TEXT COLLATE "C",  investigator_firstname TEXT COLLATE "C",  investigator_lastname TEXT COLLATE "C",  investigator_institution TEXT COLLATE "C",  investigator_department TEXT COLLATE "C",  investigator_email TEXT COLLATE "C",  investigator_phone TEXT COLLATE "C",  validation_status TEXT COLLATE "C",  validation_method TEXT COLLATE "C",  validation_date DATE,  validation_notes TEXT COLLATE "C",  validation_validated_by TEXT COLLATE "C",  acquisition_site TEXT COLLATE "C",  subject_id TEXT COLLATE "C",  age FLOAT(53),  scanner TEXT COLLATE "C",  scanner_manufacturer TEXT COLLATE "C",  scanner_model TEXT COLLATE "C",  operator TEXT COLLATE "C",  prearchivepath TEXT COLLATE "C",  dcmaccessionnumber TEXT COLLATE "C",  dcmpatientid TEXT COLLATE "C",  dcmpatientname TEXT COLLATE "C",  dcmpatientbirthdate DATE,  dcmpatientweight FLOAT(53),  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE INDEX t_xnat_petsessiondata_by_subject ON t_xnat_petsessiondata (subject_id);
CREATE TABLE t_xnat_petsessiondata__fields_field ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  field TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_petsessiondata__reconstructions_reconstructedimage ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  id TEXT COLLATE "C",  type TEXT COLLATE "C",  basescantype TEXT COLLATE "C",  image_session_id TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_petsessiondata__resources_resource ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C",  file_count BIGINT,  file_size BIGINT,  note TEXT COLLATE "C",  uri TEXT COLLATE "C",  format TEXT COLLATE "C",  description TEXT COLLATE "C",  content TEXT COLLATE "C",  cachepath TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_petsessiondata__scans_scan ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  id TEXT COLLATE "C",  type TEXT COLLATE "C",  uid TEXT COLLATE "C",  project TEXT COLLATE "C",  image_session_id TEXT COLLATE "C",  note TEXT COLLATE "C",  quality TEXT COLLATE "C",  condition TEXT COLLATE "C",  series_description TEXT COLLATE "C",  documentation TEXT COLLATE "C",  scanner TEXT COLLATE "C",  scanner_manufacturer TEXT COLLATE "C",  scanner_model TEXT COLLATE "C",  modality TEXT COLLATE "C",  frames BIGINT,  operator TEXT COLLATE "C",  starttime TIME WITHOUT TIME ZONE,  protocolname TEXT COLLATE "C",  coil TEXT COLLATE "C",  fieldstrength TEXT COLLATE "C",  marker TEXT COLLATE "C",  stabilization TEXT COLLATE "C",  parameters_voxelres_units TEXT COLLATE "C",  parameters_voxelres_x FLOAT(53),  parameters_voxelres_y FLOAT(53),  parameters_voxelres_z FLOAT(53),  parameters_matrix_x BIGINT,  parameters_matrix_y BIGINT,  parameters_orientation TEXT COLLATE "C",  parameters_partitions BIGINT,  parameters_tr FLOAT(53),  parameters_te FLOAT(53),  parameters_ti FLOAT(53),  parameters_flip FLOAT(53),  parameters_sequence TEXT COLLATE "C",  parameters_imagetype TEXT COLLATE "C",  parameters_pixelbandwidth FLOAT(53),  parameters_echospacing FLOAT(53),  parameters_phaseencodingdirection TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_projectdata ( pk BIGINT NOT NULL,  secondary_id TEXT COLLATE "C",  active BOOLEAN,  name TEXT COLLATE "C",  description TEXT COLLATE "C",  keywords TEXT COLLATE "C",  pi_id TEXT COLLATE "C",  pi_title TEXT COLLATE "C",  pi_firstname TEXT COLLATE "C",  pi_lastname TEXT COLLATE "C",  pi_institution TEXT COLLATE "C",  pi_department TEXT COLLATE "C",  pi_email TEXT COLLATE "C",  pi_phone TEXT COLLATE "C",  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_projectdata__aliases_alias ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  alias TEXT COLLATE "C",  source TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_projectdata__fields_field ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  field TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_projectdata__investigators_investigator ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  id TEXT COLLATE "C",  title TEXT COLLATE "C",  firstname TEXT COLLATE "C",  lastname TEXT COLLATE "C",  institution TEXT COLLATE "C",  department TEXT COLLATE "C",  email TEXT COLLATE "C",  phone TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_projectdata__resources_resource ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C",  file_count BIGINT,  file_size BIGINT,  note TEXT COLLATE "C",  uri TEXT COLLATE "C",  format TEXT COLLATE "C",  description TEXT COLLATE "C",  content TEXT COLLATE "C",  cachepath TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_qcmanualassessordata ( pk BIGINT NOT NULL,  visit_id TEXT COLLATE "C",  visit TEXT COLLATE "C",  version BIGINT,  original TEXT COLLATE "C",  protocol TEXT COLLATE "C",  date DATE,  time TIME WITHOUT TIME ZONE,  duration TEXT COLLATE "C",  delay BIGINT,  delay_ref_expt_id TEXT COLLATE "C",  note TEXT COLLATE "C",  investigator_id TEXT COLLATE "C",  investigator_title TEXT COLLATE "C",  investigator_firstname TEXT COLLATE "C",  investigator_lastname TEXT COLLATE "C",  investigator_institution TEXT COLLATE "C",  investigator_department TEXT COLLATE "C",  investigator_email TEXT COLLATE "C",  investigator_phone TEXT COLLATE "C",  validation_status TEXT COLLATE "C",  validation_method TEXT COLLATE "C",  validation_date DATE,  validation_notes TEXT COLLATE "C",  validation_validated_by TEXT COLLATE "C",  acquisition_site TEXT COLLATE "C",  imagesession_id TEXT COLLATE "C",  rater TEXT COLLATE "C",  stereotacticmarker TEXT COLLATE "C",  incidentalfindings TEXT COLLATE "C",  comments TEXT COLLATE "C",  pass TEXT COLLATE "C",  payable TEXT COLLATE "C",  rescan TEXT COLLATE "C",  resolvable TEXT COLLATE "C",  retrain TEXT COLLATE "C",  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_qcmanualassessordata__fields_field ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  field TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_qcmanualassessordata__resources_resource ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C",  file_count BIGINT,  file_size BIGINT,  note TEXT COLLATE "C",  uri TEXT COLLATE "C",  format TEXT COLLATE "C",  description TEXT COLLATE "C",  content TEXT COLLATE "C",  cachepath TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_subjectdata ( pk BIGINT NOT NULL,  "group" TEXT COLLATE "C",  src TEXT COLLATE "C",  initials TEXT COLLATE "C",  investigator_id TEXT COLLATE "C",  investigator_title TEXT COLLATE "C",  investigator_firstname TEXT COLLATE "C",  investigator_lastname TEXT COLLATE "C",  investigator_institution TEXT COLLATE "C",  investigator_department TEXT COLLATE "C",  investigator_email TEXT COLLATE "C",  investigator_phone TEXT COLLATE "C",  demographics_dob DATE,  demographics_yob BIGINT,  demographics_age BIGINT,  demographics_gender TEXT COLLATE "C",  demographics_handedness TEXT COLLATE "C",  demographics_ses BIGINT,  demographics_employment BIGINT,  demographics_education BIGINT,  demographics_educationdesc TEXT COLLATE "C",  demographics_race TEXT COLLATE "C",  demographics_ethnicity TEXT COLLATE "C",  demographics_weight FLOAT(53),  demographics_weight_units TEXT COLLATE "C",  demographics_height FLOAT(53),  demographics_height_units TEXT COLLATE "C",  demographics_gestational_age FLOAT(53),  demographics_post_menstrual_age FLOAT(53),  demographics_birth_weight FLOAT(53),  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_subjectdata__addid ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  addid TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_subjectdata__fields_field ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  field TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_subjectdata__resources_resource ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C",  file_count BIGINT,  file_size BIGINT,  note TEXT COLLATE "C",  uri TEXT COLLATE "C",  format TEXT COLLATE "C",  description TEXT COLLATE "C",  content TEXT COLLATE "C",  cachepath TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_subjectvariablesdata ( pk BIGINT NOT NULL,  visit_id TEXT COLLATE "C",  visit TEXT COLLATE "C",  version BIGINT,  original TEXT COLLATE "C",  protocol TEXT COLLATE "C",  date DATE,  time TIME WITHOUT TIME ZONE,  duration TEXT COLLATE "C",  delay BIGINT,  delay_ref_expt_id TEXT COLLATE "C",  note TEXT COLLATE "C",  investigator_id TEXT COLLATE "C",  investigator_title TEXT COLLATE "C",  investigator_firstname TEXT COLLATE "C",  investigator_lastname TEXT COLLATE "C",  investigator_institution TEXT COLLATE "C",  investigator_department TEXT COLLATE "C",  investigator_email TEXT COLLATE "C",  investigator_phone TEXT COLLATE "C",  validation_status TEXT COLLATE "C",  validation_method TEXT COLLATE "C",  validation_date DATE,  validation_notes TEXT COLLATE "C",  validation_validated_by TEXT COLLATE "C",  acquisition_site TEXT COLLATE "C",  subject_id TEXT COLLATE "C",  age FLOAT(53),  PRIMARY KEY (pk),  FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE INDEX t_xnat_subjectvariablesdata_by_subject ON t_xnat_subjectvariablesdata (subject_id);
CREATE TABLE t_xnat_subjectvariablesdata__fields_field ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  field TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_subjectvariablesdata__resources_resource ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  label TEXT COLLATE "C",  file_count BIGINT,  file_size BIGINT,  note TEXT COLLATE "C",  uri TEXT COLLATE "C",  format TEXT COLLATE "C",  description TEXT COLLATE "C",  content TEXT COLLATE "C",  cachepath TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
CREATE TABLE t_xnat_subjectvariablesdata__variables_variable ( owner_pk BIGINT NOT NULL,  entry INTEGER NOT NULL,  entry_type TEXT COLLATE "C" NOT NULL,  variable TEXT COLLATE "C",  name TEXT COLLATE "C",  PRIMARY KEY (owner_pk, entry),  FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE );
INSERT INTO t_nt_scores (pk, subject_id, neo_neofac_a) VALUES (5, '100', 30);
INSERT INTO t_xnat_mrsessiondata (pk, note, subject_id) VALUES (6, 'synthetic', '100');
INSERT INTO t_xnat_mrsessiondata__resources_resource (owner_pk, entry, entry_type, label, file_count, uri) VALUES (6, 1, 'xnat:resourceCatalog', 'DICOM', 5, 'd.xml');
INSERT INTO t_xnat_mrsessiondata__scans_scan (owner_pk, entry, entry_type, id, type, parameters_tr) VALUES (6, 1, 'xnat:mrScanData', '1', 'T1w', 2400.0);
INSERT INTO t_xnat_mrsessiondata__scans_scan (owner_pk, entry, entry_type, id, type) VALUES (6, 2, 'xnat:imageScanData', '2', 'T2w');
INSERT INTO t_xnat_projectdata (pk, secondary_id, name, description) VALUES (1, 'P', 'P', 'synthetic');
INSERT INTO t_xnat_projectdata (pk, secondary_id, name, description) VALUES (2, 'Q', 'Q', 'synthetic');
INSERT INTO t_xnat_qcmanualassessordata (pk, imagesession_id, pass) VALUES (7, 'Old_E00002', '1');
INSERT INTO t_xnat_subjectdata (pk, demographics_age, demographics_gender) VALUES (3, 27, 'female');
INSERT INTO t_xnat_subjectdata (pk) VALUES (4);
INSERT INTO t_xnat_subjectdata__fields_field (owner_pk, entry, entry_type, field, name) VALUES (3, 1, 'xnat:subjectData_field', 'Q1', 'release');
