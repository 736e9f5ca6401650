-- eventmap: store a key that was wrapped anew
update {{.SubjectKeys}}
set
	wrapped = ?2,
	wrapped_by = ?3
where key_id = ?1
  and wrapped is not null
