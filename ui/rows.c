#include "config.h"

#include "ui/view.h"

void
rows_clamp(int count, int page, int *cursor, int *top)
{
    page = MAX(page, 1);
    *cursor = CLAMP(*cursor, 0, MAX(count - 1, 0));
    if (*cursor < *top)
        *top = *cursor;
    if (*cursor >= *top + page)
        *top = *cursor - page + 1;
    *top = CLAMP(*top, 0, MAX(count - page, 0));
}

void
rows_move(int how, int count, int page, int *cursor, int *top)
{
    page = MAX(page, 1);
    switch ((enum move_how)how) {
    case MOVE_NEXT:
        ++*cursor;
        break;
    case MOVE_PREVIOUS:
        --*cursor;
        break;
    case MOVE_PAGE_DOWN:
        *top += page;
        *cursor += page;
        break;
    case MOVE_PAGE_UP:
        *top -= page;
        *cursor -= page;
        break;
    case MOVE_HALF_DOWN:
        *top += page / 2;
        *cursor += page / 2;
        break;
    case MOVE_HALF_UP:
        *top -= page / 2;
        *cursor -= page / 2;
        break;
    case MOVE_FIRST:
        *cursor = 0;
        break;
    case MOVE_LAST:
        *cursor = count - 1;
        break;
    case MOVE_TOP:
        *cursor = *top;
        break;
    case MOVE_MIDDLE:
        *cursor = *top + MIN(page, count - *top) / 2;
        break;
    case MOVE_BOTTOM:
        *cursor = *top + page - 1;
        break;
    case MOVE_LINE_DOWN:
        ++*top;
        *cursor = MAX(*cursor, *top);
        break;
    case MOVE_LINE_UP:
        --*top;
        *cursor = MIN(*cursor, *top + page - 1);
        break;
    }
    rows_clamp(count, page, cursor, top);
}
