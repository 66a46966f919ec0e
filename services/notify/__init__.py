"""Telling staff: messages with one stable id each, their attempts, and what came back."""
