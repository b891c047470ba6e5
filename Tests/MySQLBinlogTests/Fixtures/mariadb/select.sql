SET time_zone='+00:00';
SELECT id,u,i6,i4,HEX(cv) cv,HEX(cb) cb,HEX(ct) ct,y,u8,i8,u64,i64,d0,t0,dt0,ts0,t6,dt6,ts6,da,CAST(f AS DOUBLE) f,d,b+0 b,e+0 e,s+0 s,HEX(c) c,HEX(bi) bi,HEX(vb) vb,HEX(js) js,HEX(g) g,gv,inv FROM types ORDER BY id;
