CREATE TABLE plain (id int PRIMARY KEY, v varchar(10));
INSERT INTO plain VALUES (1,'a'),(2,NULL);
UPDATE plain SET v = 'b';
DELETE FROM plain;
