from django.urls import path

from reporting import api
from reporting.support import api as support

urlpatterns = [
    path("dashboard", api.DashboardView.as_view()),
    path("support/messages", support.MessagesView.as_view()),
    path("support/messages/<uuid:message_id>/helpful", support.HelpfulView.as_view()),
    path("support/conversations/<uuid:conversation_id>", support.ConversationView.as_view()),
    path("support/articles/<slug:language>/<slug:slug>", support.ArticleView.as_view()),
    path("support/tickets", support.TicketsView.as_view()),
    path("support/tickets/<uuid:ticket_id>", support.TicketView.as_view()),
    path("support/tickets/<uuid:ticket_id>/replies", support.RepliesView.as_view()),
]
