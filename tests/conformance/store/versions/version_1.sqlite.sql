-- A synthetic site, made by the software of version 1.
BEGIN TRANSACTION;
CREATE TABLE account (
	user_id INTEGER NOT NULL, 
	login TEXT NOT NULL, 
	password_hash TEXT NOT NULL, 
	is_admin BOOLEAN NOT NULL, 
	email TEXT NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	insert_date DATETIME NOT NULL, 
	PRIMARY KEY (user_id), 
	UNIQUE (login)
);
INSERT INTO "account" VALUES(1,'admin','synthetic',1,'',1,'2026-11-25 12:59:28.563398');
INSERT INTO "account" VALUES(2,'reader','synthetic',0,'',1,'2026-11-25 12:59:28.862730');
CREATE TABLE counter (
	name TEXT NOT NULL, 
	value BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "counter" VALUES('pk',7);
INSERT INTO "counter" VALUES('subject',2);
INSERT INTO "counter" VALUES('experiment',3);
INSERT INTO "counter" VALUES('file',1);
INSERT INTO "counter" VALUES('account',2);
CREATE TABLE file (
	pk INTEGER NOT NULL, 
	subject_pk BIGINT, 
	project TEXT NOT NULL, 
	subject_label TEXT, 
	session TEXT, 
	run TEXT, 
	kind TEXT, 
	package TEXT, 
	"key" TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	algorithm TEXT, 
	digest TEXT, 
	release TEXT, 
	location TEXT NOT NULL, 
	PRIMARY KEY (pk), 
	CONSTRAINT key_once_per_location UNIQUE (project, location, "key"), 
	FOREIGN KEY(subject_pk) REFERENCES item (pk) ON DELETE CASCADE, 
	FOREIGN KEY(project) REFERENCES project (id) ON DELETE CASCADE
);
INSERT INTO "file" VALUES(1,3,'P','100',NULL,NULL,NULL,NULL,'q1/100/a.nii',12,NULL,NULL,NULL,'file:///mirror');
CREATE TABLE item (
	pk INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	family TEXT NOT NULL, 
	xsi_type TEXT NOT NULL, 
	project TEXT NOT NULL, 
	label TEXT NOT NULL, 
	subject_pk BIGINT, 
	date DATE, 
	projects_text TEXT NOT NULL, 
	status TEXT DEFAULT 'active' NOT NULL, 
	insert_date DATETIME NOT NULL, 
	insert_user TEXT NOT NULL, 
	last_modified DATETIME NOT NULL, 
	PRIMARY KEY (pk), 
	UNIQUE (id), 
	FOREIGN KEY(subject_pk) REFERENCES item (pk)
);
INSERT INTO "item" VALUES(1,'P','project','xnat:projectData','P','P',NULL,NULL,'<P>','active','2026-11-25 12:59:28.251303','admin','2026-11-25 12:59:28.251303');
INSERT INTO "item" VALUES(2,'Q','project','xnat:projectData','Q','Q',NULL,NULL,'<Q>','active','2026-11-25 12:59:28.258894','admin','2026-11-25 12:59:28.258894');
INSERT INTO "item" VALUES(3,'Old_S00001','subject','xnat:subjectData','P','100',NULL,NULL,',<P>,<Q>','active','2026-11-25 12:59:28.873030','admin','2026-11-25 12:59:28.873030');
INSERT INTO "item" VALUES(4,'Old_S00002','subject','xnat:subjectData','P','101',NULL,NULL,',<P>','active','2026-11-25 12:59:28.873030','admin','2026-11-25 12:59:28.873030');
INSERT INTO "item" VALUES(5,'Old_E00001','experiment','nt:scores','P','100_scores',3,NULL,'<P>','active','2026-11-25 12:59:28.873030','admin','2026-11-25 12:59:28.873030');
INSERT INTO "item" VALUES(6,'Old_E00002','experiment','xnat:mrSessionData','P','100_3T',3,NULL,'<P>','active','2026-11-25 12:59:28.873030','admin','2026-11-25 12:59:28.873030');
INSERT INTO "item" VALUES(7,'Old_E00003','experiment','xnat:qcManualAssessorData','P','100_qc',NULL,NULL,'<P>','active','2026-11-25 12:59:28.890919','admin','2026-11-25 12:59:28.890919');
CREATE TABLE login_session (
	digest TEXT NOT NULL, 
	user_id INTEGER NOT NULL, 
	lifetime_s FLOAT NOT NULL, 
	expires_at DATETIME NOT NULL, 
	PRIMARY KEY (digest), 
	FOREIGN KEY(user_id) REFERENCES account (user_id) ON DELETE CASCADE
);
CREATE TABLE membership (
	item_pk BIGINT NOT NULL, 
	project TEXT NOT NULL, 
	family TEXT NOT NULL, 
	label TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	PRIMARY KEY (item_pk, project), 
	CONSTRAINT label_once_per_project UNIQUE (project, family, label), 
	FOREIGN KEY(item_pk) REFERENCES item (pk) ON DELETE CASCADE, 
	FOREIGN KEY(project) REFERENCES project (id)
);
INSERT INTO "membership" VALUES(1,'P','project','P',0);
INSERT INTO "membership" VALUES(2,'Q','project','Q',0);
INSERT INTO "membership" VALUES(3,'P','subject','100',0);
INSERT INTO "membership" VALUES(3,'Q','subject','q100',1);
INSERT INTO "membership" VALUES(4,'P','subject','101',0);
INSERT INTO "membership" VALUES(5,'P','experiment','100_scores',0);
INSERT INTO "membership" VALUES(6,'P','experiment','100_3T',0);
INSERT INTO "membership" VALUES(7,'P','experiment','100_qc',0);
CREATE TABLE project (
	pk BIGINT NOT NULL, 
	id TEXT NOT NULL, 
	folded_id TEXT NOT NULL, 
	accessibility TEXT NOT NULL, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE, 
	UNIQUE (id), 
	UNIQUE (folded_id)
);
INSERT INTO "project" VALUES(1,'P','p','private');
INSERT INTO "project" VALUES(2,'Q','q','private');
CREATE TABLE project_user (
	user_id INTEGER NOT NULL, 
	project TEXT NOT NULL, 
	group_name TEXT NOT NULL, 
	PRIMARY KEY (user_id, project), 
	FOREIGN KEY(user_id) REFERENCES account (user_id) ON DELETE CASCADE, 
	FOREIGN KEY(project) REFERENCES project (id) ON DELETE CASCADE
);
INSERT INTO "project_user" VALUES(2,'P','collaborator');
CREATE TABLE schema_version (
	version INTEGER NOT NULL
);
INSERT INTO "schema_version" VALUES(1);
CREATE TABLE setting (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "setting" VALUES('site_id','Old');
CREATE TABLE t_hcp_subjmeta (
	pk INTEGER NOT NULL, 
	visit_id TEXT, 
	visit TEXT, 
	version BIGINT, 
	original TEXT, 
	protocol TEXT, 
	date DATE, 
	time TIME, 
	duration TEXT, 
	delay BIGINT, 
	delay_ref_expt_id TEXT, 
	note TEXT, 
	investigator_id TEXT, 
	investigator_title TEXT, 
	investigator_firstname TEXT, 
	investigator_lastname TEXT, 
	investigator_institution TEXT, 
	investigator_department TEXT, 
	investigator_email TEXT, 
	investigator_phone TEXT, 
	validation_status TEXT, 
	validation_method TEXT, 
	validation_date DATE, 
	validation_notes TEXT, 
	validation_validated_by TEXT, 
	acquisition_site TEXT, 
	subject_id TEXT, 
	age FLOAT, 
	release TEXT, 
	age_band TEXT, 
	scan_completion BOOLEAN, 
	notice TEXT, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_hcp_subjmeta__fields_field (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	field TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_hcp_subjmeta__resources_resource (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	label TEXT, 
	file_count BIGINT, 
	file_size BIGINT, 
	note TEXT, 
	uri TEXT, 
	format TEXT, 
	description TEXT, 
	content TEXT, 
	cachepath TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_nt_scores (
	pk INTEGER NOT NULL, 
	visit_id TEXT, 
	visit TEXT, 
	version BIGINT, 
	original TEXT, 
	protocol TEXT, 
	date DATE, 
	time TIME, 
	duration TEXT, 
	delay BIGINT, 
	delay_ref_expt_id TEXT, 
	note TEXT, 
	investigator_id TEXT, 
	investigator_title TEXT, 
	investigator_firstname TEXT, 
	investigator_lastname TEXT, 
	investigator_institution TEXT, 
	investigator_department TEXT, 
	investigator_email TEXT, 
	investigator_phone TEXT, 
	validation_status TEXT, 
	validation_method TEXT, 
	validation_date DATE, 
	validation_notes TEXT, 
	validation_validated_by TEXT, 
	acquisition_site TEXT, 
	subject_id TEXT, 
	age FLOAT, 
	neo_neofac_a BIGINT, 
	neo_neofac_o BIGINT, 
	neo_neofac_c BIGINT, 
	neo_neofac_n BIGINT, 
	neo_neofac_e BIGINT, 
	er40_er40_cr BIGINT, 
	er40_er40_crt FLOAT, 
	er40_er40ang BIGINT, 
	er40_er40fear BIGINT, 
	er40_er40hap BIGINT, 
	er40_er40noe BIGINT, 
	er40_er40sad BIGINT, 
	cpw_iwrd_tot BIGINT, 
	cpw_iwrd_rtc FLOAT, 
	scpt_scpt_tp BIGINT, 
	scpt_scpt_tn BIGINT, 
	scpt_scpt_fp BIGINT, 
	scpt_scpt_fn BIGINT, 
	scpt_scpt_tprt FLOAT, 
	scpt_scpt_sen FLOAT, 
	scpt_scpt_spec FLOAT, 
	scpt_scpt_lrnr BIGINT, 
	vsplot_vsplot_tc BIGINT, 
	vsplot_vsplot_crte FLOAT, 
	vsplot_vsplot_off BIGINT, 
	pmat_pmat24_a_cr BIGINT, 
	pmat_pmat24_a_si BIGINT, 
	pmat_pmat24_a_rtcr FLOAT, 
	ddisc_ddisc_sv_1mo_200 FLOAT, 
	ddisc_ddisc_sv_6mo_200 FLOAT, 
	ddisc_ddisc_sv_1yr_200 FLOAT, 
	ddisc_ddisc_sv_3yr_200 FLOAT, 
	ddisc_ddisc_sv_5yr_200 FLOAT, 
	ddisc_ddisc_sv_10yr_200 FLOAT, 
	ddisc_ddisc_auc_200 FLOAT, 
	ddisc_ddisc_sv_1mo_40k BIGINT, 
	ddisc_ddisc_sv_6mo_40k BIGINT, 
	ddisc_ddisc_sv_1yr_40k BIGINT, 
	ddisc_ddisc_sv_3yr_40k BIGINT, 
	ddisc_ddisc_sv_5yr_40k BIGINT, 
	ddisc_ddisc_sv_10yr_40k BIGINT, 
	ddisc_ddisc_auc_40k FLOAT, 
	mars_mars_log_score FLOAT, 
	mars_mars_errs BIGINT, 
	mars_mars_final FLOAT, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE
);
INSERT INTO "t_nt_scores" VALUES(5,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'100',NULL,30,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE t_nt_scores__fields_field (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	field TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_nt_scores__resources_resource (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	label TEXT, 
	file_count BIGINT, 
	file_size BIGINT, 
	note TEXT, 
	uri TEXT, 
	format TEXT, 
	description TEXT, 
	content TEXT, 
	cachepath TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_ctsessiondata (
	pk INTEGER NOT NULL, 
	visit_id TEXT, 
	visit TEXT, 
	version BIGINT, 
	original TEXT, 
	protocol TEXT, 
	session_type TEXT, 
	modality TEXT, 
	uid TEXT, 
	study_id TEXT, 
	date DATE, 
	time TIME, 
	duration TEXT, 
	delay BIGINT, 
	delay_ref_expt_id TEXT, 
	note TEXT, 
	investigator_id TEXT, 
	investigator_title TEXT, 
	investigator_firstname TEXT, 
	investigator_lastname TEXT, 
	investigator_institution TEXT, 
	investigator_department TEXT, 
	investigator_email TEXT, 
	investigator_phone TEXT, 
	validation_status TEXT, 
	validation_method TEXT, 
	validation_date DATE, 
	validation_notes TEXT, 
	validation_validated_by TEXT, 
	acquisition_site TEXT, 
	subject_id TEXT, 
	age FLOAT, 
	scanner TEXT, 
	scanner_manufacturer TEXT, 
	scanner_model TEXT, 
	operator TEXT, 
	prearchivepath TEXT, 
	dcmaccessionnumber TEXT, 
	dcmpatientid TEXT, 
	dcmpatientname TEXT, 
	dcmpatientbirthdate DATE, 
	dcmpatientweight FLOAT, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_ctsessiondata__fields_field (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	field TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_ctsessiondata__reconstructions_reconstructedimage (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	id TEXT, 
	type TEXT, 
	basescantype TEXT, 
	image_session_id TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_ctsessiondata__resources_resource (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	label TEXT, 
	file_count BIGINT, 
	file_size BIGINT, 
	note TEXT, 
	uri TEXT, 
	format TEXT, 
	description TEXT, 
	content TEXT, 
	cachepath TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_ctsessiondata__scans_scan (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	id TEXT, 
	type TEXT, 
	uid TEXT, 
	project TEXT, 
	image_session_id TEXT, 
	note TEXT, 
	quality TEXT, 
	condition TEXT, 
	series_description TEXT, 
	documentation TEXT, 
	scanner TEXT, 
	scanner_manufacturer TEXT, 
	scanner_model TEXT, 
	modality TEXT, 
	frames BIGINT, 
	operator TEXT, 
	starttime TIME, 
	protocolname TEXT, 
	coil TEXT, 
	fieldstrength TEXT, 
	marker TEXT, 
	stabilization TEXT, 
	parameters_voxelres_units TEXT, 
	parameters_voxelres_x FLOAT, 
	parameters_voxelres_y FLOAT, 
	parameters_voxelres_z FLOAT, 
	parameters_matrix_x BIGINT, 
	parameters_matrix_y BIGINT, 
	parameters_orientation TEXT, 
	parameters_partitions BIGINT, 
	parameters_tr FLOAT, 
	parameters_te FLOAT, 
	parameters_ti FLOAT, 
	parameters_flip FLOAT, 
	parameters_sequence TEXT, 
	parameters_imagetype TEXT, 
	parameters_pixelbandwidth FLOAT, 
	parameters_echospacing FLOAT, 
	parameters_phaseencodingdirection TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_genericdata (
	pk INTEGER NOT NULL, 
	visit_id TEXT, 
	visit TEXT, 
	version BIGINT, 
	original TEXT, 
	protocol TEXT, 
	date DATE, 
	time TIME, 
	duration TEXT, 
	delay BIGINT, 
	delay_ref_expt_id TEXT, 
	note TEXT, 
	investigator_id TEXT, 
	investigator_title TEXT, 
	investigator_firstname TEXT, 
	investigator_lastname TEXT, 
	investigator_institution TEXT, 
	investigator_department TEXT, 
	investigator_email TEXT, 
	investigator_phone TEXT, 
	validation_status TEXT, 
	validation_method TEXT, 
	validation_date DATE, 
	validation_notes TEXT, 
	validation_validated_by TEXT, 
	acquisition_site TEXT, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_genericdata__fields_field (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	field TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_genericdata__resources_resource (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	label TEXT, 
	file_count BIGINT, 
	file_size BIGINT, 
	note TEXT, 
	uri TEXT, 
	format TEXT, 
	description TEXT, 
	content TEXT, 
	cachepath TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_megsessiondata (
	pk INTEGER NOT NULL, 
	visit_id TEXT, 
	visit TEXT, 
	version BIGINT, 
	original TEXT, 
	protocol TEXT, 
	session_type TEXT, 
	modality TEXT, 
	uid TEXT, 
	study_id TEXT, 
	date DATE, 
	time TIME, 
	duration TEXT, 
	delay BIGINT, 
	delay_ref_expt_id TEXT, 
	note TEXT, 
	investigator_id TEXT, 
	investigator_title TEXT, 
	investigator_firstname TEXT, 
	investigator_lastname TEXT, 
	investigator_institution TEXT, 
	investigator_department TEXT, 
	investigator_email TEXT, 
	investigator_phone TEXT, 
	validation_status TEXT, 
	validation_method TEXT, 
	validation_date DATE, 
	validation_notes TEXT, 
	validation_validated_by TEXT, 
	acquisition_site TEXT, 
	subject_id TEXT, 
	age FLOAT, 
	scanner TEXT, 
	scanner_manufacturer TEXT, 
	scanner_model TEXT, 
	operator TEXT, 
	prearchivepath TEXT, 
	dcmaccessionnumber TEXT, 
	dcmpatientid TEXT, 
	dcmpatientname TEXT, 
	dcmpatientbirthdate DATE, 
	dcmpatientweight FLOAT, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_megsessiondata__fields_field (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	field TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_megsessiondata__reconstructions_reconstructedimage (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	id TEXT, 
	type TEXT, 
	basescantype TEXT, 
	image_session_id TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_megsessiondata__resources_resource (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	label TEXT, 
	file_count BIGINT, 
	file_size BIGINT, 
	note TEXT, 
	uri TEXT, 
	format TEXT, 
	description TEXT, 
	content TEXT, 
	cachepath TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_megsessiondata__scans_scan (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	id TEXT, 
	type TEXT, 
	uid TEXT, 
	project TEXT, 
	image_session_id TEXT, 
	note TEXT, 
	quality TEXT, 
	condition TEXT, 
	series_description TEXT, 
	documentation TEXT, 
	scanner TEXT, 
	scanner_manufacturer TEXT, 
	scanner_model TEXT, 
	modality TEXT, 
	frames BIGINT, 
	operator TEXT, 
	starttime TIME, 
	protocolname TEXT, 
	coil TEXT, 
	fieldstrength TEXT, 
	marker TEXT, 
	stabilization TEXT, 
	parameters_voxelres_units TEXT, 
	parameters_voxelres_x FLOAT, 
	parameters_voxelres_y FLOAT, 
	parameters_voxelres_z FLOAT, 
	parameters_matrix_x BIGINT, 
	parameters_matrix_y BIGINT, 
	parameters_orientation TEXT, 
	parameters_partitions BIGINT, 
	parameters_tr FLOAT, 
	parameters_te FLOAT, 
	parameters_ti FLOAT, 
	parameters_flip FLOAT, 
	parameters_sequence TEXT, 
	parameters_imagetype TEXT, 
	parameters_pixelbandwidth FLOAT, 
	parameters_echospacing FLOAT, 
	parameters_phaseencodingdirection TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_mrsessiondata (
	pk INTEGER NOT NULL, 
	visit_id TEXT, 
	visit TEXT, 
	version BIGINT, 
	original TEXT, 
	protocol TEXT, 
	session_type TEXT, 
	modality TEXT, 
	uid TEXT, 
	study_id TEXT, 
	date DATE, 
	time TIME, 
	duration TEXT, 
	delay BIGINT, 
	delay_ref_expt_id TEXT, 
	note TEXT, 
	investigator_id TEXT, 
	investigator_title TEXT, 
	investigator_firstname TEXT, 
	investigator_lastname TEXT, 
	investigator_institution TEXT, 
	investigator_department TEXT, 
	investigator_email TEXT, 
	investigator_phone TEXT, 
	validation_status TEXT, 
	validation_method TEXT, 
	validation_date DATE, 
	validation_notes TEXT, 
	validation_validated_by TEXT, 
	acquisition_site TEXT, 
	subject_id TEXT, 
	age FLOAT, 
	scanner TEXT, 
	scanner_manufacturer TEXT, 
	scanner_model TEXT, 
	operator TEXT, 
	prearchivepath TEXT, 
	dcmaccessionnumber TEXT, 
	dcmpatientid TEXT, 
	dcmpatientname TEXT, 
	dcmpatientbirthdate DATE, 
	dcmpatientweight FLOAT, 
	coil TEXT, 
	fieldstrength TEXT, 
	marker TEXT, 
	stabilization TEXT, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE
);
INSERT INTO "t_xnat_mrsessiondata" VALUES(6,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'synthetic',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'100',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE t_xnat_mrsessiondata__fields_field (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	field TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_mrsessiondata__reconstructions_reconstructedimage (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	id TEXT, 
	type TEXT, 
	basescantype TEXT, 
	image_session_id TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_mrsessiondata__resources_resource (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	label TEXT, 
	file_count BIGINT, 
	file_size BIGINT, 
	note TEXT, 
	uri TEXT, 
	format TEXT, 
	description TEXT, 
	content TEXT, 
	cachepath TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
INSERT INTO "t_xnat_mrsessiondata__resources_resource" VALUES(6,1,'xnat:resourceCatalog','DICOM',5,NULL,NULL,'d.xml',NULL,NULL,NULL,NULL);
CREATE TABLE t_xnat_mrsessiondata__scans_scan (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	id TEXT, 
	type TEXT, 
	uid TEXT, 
	project TEXT, 
	image_session_id TEXT, 
	note TEXT, 
	quality TEXT, 
	condition TEXT, 
	series_description TEXT, 
	documentation TEXT, 
	scanner TEXT, 
	scanner_manufacturer TEXT, 
	scanner_model TEXT, 
	modality TEXT, 
	frames BIGINT, 
	operator TEXT, 
	starttime TIME, 
	protocolname TEXT, 
	coil TEXT, 
	fieldstrength TEXT, 
	marker TEXT, 
	stabilization TEXT, 
	parameters_voxelres_units TEXT, 
	parameters_voxelres_x FLOAT, 
	parameters_voxelres_y FLOAT, 
	parameters_voxelres_z FLOAT, 
	parameters_matrix_x BIGINT, 
	parameters_matrix_y BIGINT, 
	parameters_orientation TEXT, 
	parameters_partitions BIGINT, 
	parameters_tr FLOAT, 
	parameters_te FLOAT, 
	parameters_ti FLOAT, 
	parameters_flip FLOAT, 
	parameters_sequence TEXT, 
	parameters_imagetype TEXT, 
	parameters_pixelbandwidth FLOAT, 
	parameters_echospacing FLOAT, 
	parameters_phaseencodingdirection TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
INSERT INTO "t_xnat_mrsessiondata__scans_scan" VALUES(6,1,'xnat:mrScanData','1','T1w',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,2400.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "t_xnat_mrsessiondata__scans_scan" VALUES(6,2,'xnat:imageScanData','2','T2w',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE t_xnat_petsessiondata (
	pk INTEGER NOT NULL, 
	visit_id TEXT, 
	visit TEXT, 
	version BIGINT, 
	original TEXT, 
	protocol TEXT, 
	session_type TEXT, 
	modality TEXT, 
	uid TEXT, 
	study_id TEXT, 
	date DATE, 
	time TIME, 
	duration TEXT, 
	delay BIGINT, 
	delay_ref_expt_id TEXT, 
	note TEXT, 
	investigator_id TEXT, 
	investigator_title TEXT, 
	investigator_firstname TEXT, 
	investigator_lastname TEXT, 
	investigator_institution TEXT, 
	investigator_department TEXT, 
	investigator_email TEXT, 
	investigator_phone TEXT, 
	validation_status TEXT, 
	validation_method TEXT, 
	validation_date DATE, 
	validation_notes TEXT, 
	validation_validated_by TEXT, 
	acquisition_site TEXT, 
	subject_id TEXT, 
	age FLOAT, 
	scanner TEXT, 
	scanner_manufacturer TEXT, 
	scanner_model TEXT, 
	operator TEXT, 
	prearchivepath TEXT, 
	dcmaccessionnumber TEXT, 
	dcmpatientid TEXT, 
	dcmpatientname TEXT, 
	dcmpatientbirthdate DATE, 
	dcmpatientweight FLOAT, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_petsessiondata__fields_field (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	field TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_petsessiondata__reconstructions_reconstructedimage (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	id TEXT, 
	type TEXT, 
	basescantype TEXT, 
	image_session_id TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_petsessiondata__resources_resource (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	label TEXT, 
	file_count BIGINT, 
	file_size BIGINT, 
	note TEXT, 
	uri TEXT, 
	format TEXT, 
	description TEXT, 
	content TEXT, 
	cachepath TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_petsessiondata__scans_scan (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	id TEXT, 
	type TEXT, 
	uid TEXT, 
	project TEXT, 
	image_session_id TEXT, 
	note TEXT, 
	quality TEXT, 
	condition TEXT, 
	series_description TEXT, 
	documentation TEXT, 
	scanner TEXT, 
	scanner_manufacturer TEXT, 
	scanner_model TEXT, 
	modality TEXT, 
	frames BIGINT, 
	operator TEXT, 
	starttime TIME, 
	protocolname TEXT, 
	coil TEXT, 
	fieldstrength TEXT, 
	marker TEXT, 
	stabilization TEXT, 
	parameters_voxelres_units TEXT, 
	parameters_voxelres_x FLOAT, 
	parameters_voxelres_y FLOAT, 
	parameters_voxelres_z FLOAT, 
	parameters_matrix_x BIGINT, 
	parameters_matrix_y BIGINT, 
	parameters_orientation TEXT, 
	parameters_partitions BIGINT, 
	parameters_tr FLOAT, 
	parameters_te FLOAT, 
	parameters_ti FLOAT, 
	parameters_flip FLOAT, 
	parameters_sequence TEXT, 
	parameters_imagetype TEXT, 
	parameters_pixelbandwidth FLOAT, 
	parameters_echospacing FLOAT, 
	parameters_phaseencodingdirection TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_projectdata (
	pk INTEGER NOT NULL, 
	secondary_id TEXT, 
	active BOOLEAN, 
	name TEXT, 
	description TEXT, 
	keywords TEXT, 
	pi_id TEXT, 
	pi_title TEXT, 
	pi_firstname TEXT, 
	pi_lastname TEXT, 
	pi_institution TEXT, 
	pi_department TEXT, 
	pi_email TEXT, 
	pi_phone TEXT, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE
);
INSERT INTO "t_xnat_projectdata" VALUES(1,'P',NULL,'P','synthetic',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "t_xnat_projectdata" VALUES(2,'Q',NULL,'Q','synthetic',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE t_xnat_projectdata__aliases_alias (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	alias TEXT, 
	source TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_projectdata__fields_field (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	field TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_projectdata__investigators_investigator (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	id TEXT, 
	title TEXT, 
	firstname TEXT, 
	lastname TEXT, 
	institution TEXT, 
	department TEXT, 
	email TEXT, 
	phone TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_projectdata__resources_resource (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	label TEXT, 
	file_count BIGINT, 
	file_size BIGINT, 
	note TEXT, 
	uri TEXT, 
	format TEXT, 
	description TEXT, 
	content TEXT, 
	cachepath TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_qcmanualassessordata (
	pk INTEGER NOT NULL, 
	visit_id TEXT, 
	visit TEXT, 
	version BIGINT, 
	original TEXT, 
	protocol TEXT, 
	date DATE, 
	time TIME, 
	duration TEXT, 
	delay BIGINT, 
	delay_ref_expt_id TEXT, 
	note TEXT, 
	investigator_id TEXT, 
	investigator_title TEXT, 
	investigator_firstname TEXT, 
	investigator_lastname TEXT, 
	investigator_institution TEXT, 
	investigator_department TEXT, 
	investigator_email TEXT, 
	investigator_phone TEXT, 
	validation_status TEXT, 
	validation_method TEXT, 
	validation_date DATE, 
	validation_notes TEXT, 
	validation_validated_by TEXT, 
	acquisition_site TEXT, 
	imagesession_id TEXT, 
	rater TEXT, 
	stereotacticmarker TEXT, 
	incidentalfindings TEXT, 
	comments TEXT, 
	pass TEXT, 
	payable TEXT, 
	rescan TEXT, 
	resolvable TEXT, 
	retrain TEXT, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE
);
INSERT INTO "t_xnat_qcmanualassessordata" VALUES(7,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Old_E00002',NULL,NULL,NULL,NULL,'1',NULL,NULL,NULL,NULL);
CREATE TABLE t_xnat_qcmanualassessordata__fields_field (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	field TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_qcmanualassessordata__resources_resource (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	label TEXT, 
	file_count BIGINT, 
	file_size BIGINT, 
	note TEXT, 
	uri TEXT, 
	format TEXT, 
	description TEXT, 
	content TEXT, 
	cachepath TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_subjectdata (
	pk INTEGER NOT NULL, 
	"group" TEXT, 
	src TEXT, 
	initials TEXT, 
	investigator_id TEXT, 
	investigator_title TEXT, 
	investigator_firstname TEXT, 
	investigator_lastname TEXT, 
	investigator_institution TEXT, 
	investigator_department TEXT, 
	investigator_email TEXT, 
	investigator_phone TEXT, 
	demographics_dob DATE, 
	demographics_yob BIGINT, 
	demographics_age BIGINT, 
	demographics_gender TEXT, 
	demographics_handedness TEXT, 
	demographics_ses BIGINT, 
	demographics_employment BIGINT, 
	demographics_education BIGINT, 
	demographics_educationdesc TEXT, 
	demographics_race TEXT, 
	demographics_ethnicity TEXT, 
	demographics_weight FLOAT, 
	demographics_weight_units TEXT, 
	demographics_height FLOAT, 
	demographics_height_units TEXT, 
	demographics_gestational_age FLOAT, 
	demographics_post_menstrual_age FLOAT, 
	demographics_birth_weight FLOAT, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE
);
INSERT INTO "t_xnat_subjectdata" VALUES(3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,27,'female',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "t_xnat_subjectdata" VALUES(4,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE t_xnat_subjectdata__addid (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	addid TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_subjectdata__fields_field (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	field TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
INSERT INTO "t_xnat_subjectdata__fields_field" VALUES(3,1,'xnat:subjectData_field','Q1','release');
CREATE TABLE t_xnat_subjectdata__resources_resource (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	label TEXT, 
	file_count BIGINT, 
	file_size BIGINT, 
	note TEXT, 
	uri TEXT, 
	format TEXT, 
	description TEXT, 
	content TEXT, 
	cachepath TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_subjectvariablesdata (
	pk INTEGER NOT NULL, 
	visit_id TEXT, 
	visit TEXT, 
	version BIGINT, 
	original TEXT, 
	protocol TEXT, 
	date DATE, 
	time TIME, 
	duration TEXT, 
	delay BIGINT, 
	delay_ref_expt_id TEXT, 
	note TEXT, 
	investigator_id TEXT, 
	investigator_title TEXT, 
	investigator_firstname TEXT, 
	investigator_lastname TEXT, 
	investigator_institution TEXT, 
	investigator_department TEXT, 
	investigator_email TEXT, 
	investigator_phone TEXT, 
	validation_status TEXT, 
	validation_method TEXT, 
	validation_date DATE, 
	validation_notes TEXT, 
	validation_validated_by TEXT, 
	acquisition_site TEXT, 
	subject_id TEXT, 
	age FLOAT, 
	PRIMARY KEY (pk), 
	FOREIGN KEY(pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_subjectvariablesdata__fields_field (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	field TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_subjectvariablesdata__resources_resource (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	label TEXT, 
	file_count BIGINT, 
	file_size BIGINT, 
	note TEXT, 
	uri TEXT, 
	format TEXT, 
	description TEXT, 
	content TEXT, 
	cachepath TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE t_xnat_subjectvariablesdata__variables_variable (
	owner_pk INTEGER NOT NULL, 
	entry INTEGER NOT NULL, 
	entry_type TEXT NOT NULL, 
	variable TEXT, 
	name TEXT, 
	PRIMARY KEY (owner_pk, entry), 
	FOREIGN KEY(owner_pk) REFERENCES item (pk) ON DELETE CASCADE
);
CREATE TABLE type_layout (
	table_name TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	PRIMARY KEY (table_name)
);
INSERT INTO "type_layout" VALUES('t_hcp_subjmeta','pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_hcp_subjmeta__fields_field','owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO "type_layout" VALUES('t_hcp_subjmeta__resources_resource','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_nt_scores','pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_nt_scores__fields_field','owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO "type_layout" VALUES('t_nt_scores__resources_resource','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_ctsessiondata','pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_ctsessiondata__fields_field','owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO "type_layout" VALUES('t_xnat_ctsessiondata__reconstructions_reconstructedimage','owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
basescantype Text
image_session_id Text');
INSERT INTO "type_layout" VALUES('t_xnat_ctsessiondata__resources_resource','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_ctsessiondata__scans_scan','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_genericdata','pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_genericdata__fields_field','owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO "type_layout" VALUES('t_xnat_genericdata__resources_resource','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_megsessiondata','pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_megsessiondata__fields_field','owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO "type_layout" VALUES('t_xnat_megsessiondata__reconstructions_reconstructedimage','owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
basescantype Text
image_session_id Text');
INSERT INTO "type_layout" VALUES('t_xnat_megsessiondata__resources_resource','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_megsessiondata__scans_scan','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_mrsessiondata','pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_mrsessiondata__fields_field','owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO "type_layout" VALUES('t_xnat_mrsessiondata__reconstructions_reconstructedimage','owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
basescantype Text
image_session_id Text');
INSERT INTO "type_layout" VALUES('t_xnat_mrsessiondata__resources_resource','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_mrsessiondata__scans_scan','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_petsessiondata','pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_petsessiondata__fields_field','owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO "type_layout" VALUES('t_xnat_petsessiondata__reconstructions_reconstructedimage','owner_pk BigInteger
entry Integer
entry_type Text
id Text
type Text
basescantype Text
image_session_id Text');
INSERT INTO "type_layout" VALUES('t_xnat_petsessiondata__resources_resource','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_petsessiondata__scans_scan','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_projectdata','pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_projectdata__aliases_alias','owner_pk BigInteger
entry Integer
entry_type Text
alias Text
source Text');
INSERT INTO "type_layout" VALUES('t_xnat_projectdata__fields_field','owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO "type_layout" VALUES('t_xnat_projectdata__investigators_investigator','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_projectdata__resources_resource','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_qcmanualassessordata','pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_qcmanualassessordata__fields_field','owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO "type_layout" VALUES('t_xnat_qcmanualassessordata__resources_resource','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_subjectdata','pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_subjectdata__addid','owner_pk BigInteger
entry Integer
entry_type Text
addid Text
name Text');
INSERT INTO "type_layout" VALUES('t_xnat_subjectdata__fields_field','owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO "type_layout" VALUES('t_xnat_subjectdata__resources_resource','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_subjectvariablesdata','pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_subjectvariablesdata__fields_field','owner_pk BigInteger
entry Integer
entry_type Text
field Text
name Text');
INSERT INTO "type_layout" VALUES('t_xnat_subjectvariablesdata__resources_resource','owner_pk BigInteger
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
INSERT INTO "type_layout" VALUES('t_xnat_subjectvariablesdata__variables_variable','owner_pk BigInteger
entry Integer
entry_type Text
variable Text
name Text');
CREATE INDEX item_by_subject ON item (subject_pk, xsi_type);
CREATE INDEX item_by_type ON item (xsi_type);
CREATE INDEX item_by_family ON item (family, id);
CREATE INDEX ix_login_session_expires_at ON login_session (expires_at);
CREATE INDEX membership_by_project ON membership (project, item_pk);
CREATE INDEX file_by_subject_run ON file (subject_pk, run);
CREATE INDEX file_by_subject_kind ON file (subject_pk, kind);
CREATE INDEX file_by_subject_package ON file (subject_pk, package);
CREATE INDEX file_by_run_kind ON file (run, kind);
CREATE INDEX t_hcp_subjmeta_by_subject ON t_hcp_subjmeta (subject_id);
CREATE INDEX t_nt_scores_by_subject ON t_nt_scores (subject_id);
CREATE INDEX t_xnat_ctsessiondata_by_subject ON t_xnat_ctsessiondata (subject_id);
CREATE INDEX t_xnat_megsessiondata_by_subject ON t_xnat_megsessiondata (subject_id);
CREATE INDEX t_xnat_mrsessiondata_by_subject ON t_xnat_mrsessiondata (subject_id);
CREATE INDEX t_xnat_petsessiondata_by_subject ON t_xnat_petsessiondata (subject_id);
CREATE INDEX t_xnat_subjectvariablesdata_by_subject ON t_xnat_subjectvariablesdata (subject_id);
COMMIT;
