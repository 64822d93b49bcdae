/* The time of a record, in the light of its neighbours: damaged time stamps are not to lead others astray. */
#ifndef XENMETER_PARSER_RECORD_TIME_H
#define XENMETER_PARSER_RECORD_TIME_H

#include "order_state.h"

/* The judge of times (time_judge in window.h); `order`: struct order. */
bool record_time_judge(void *order, struct stream *s, struct odd_time *t);

#endif
